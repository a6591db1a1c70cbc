/** What one caller may cost another: nothing that is ready is worked off without letting others in (invariant 8). */

import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from "vitest";
import { breath } from "../../src/lib/breath.ts";
import { ask, bucket, codeOf, jsonOf, post, put } from "../support/http.ts";

let pauses: MockInstance<() => Promise<void>>;
beforeEach(() => {
  pauses = vi.spyOn(breath, "pause");
});
afterEach(() => {
  pauses.mockRestore();
});

/** How often others were let in while this was done. */
async function letIn(work: () => Promise<unknown>): Promise<number> {
  const before = pauses.mock.calls.length;
  await work();
  return pauses.mock.calls.length - before;
}

const commands = (text: string): Promise<Response> => ask("../commands", { method: "POST", body: text });

/** Sends messages on a WebSocket, says what is to be said to an answer, and waits until there are so many, or it is closed. */
async function conversation(
  path: string,
  messages: readonly string[],
  answers: number,
  said?: (answer: string) => string,
): Promise<{ readonly heard: string[]; readonly code?: number; readonly reason?: string }> {
  const { webSocket } = await ask(path, { headers: { Upgrade: "websocket" } });
  if (webSocket === null) throw new Error("refused");
  const heard: string[] = [];
  const done = new Promise<{ readonly code?: number; readonly reason?: string }>((resolve) => {
    webSocket.addEventListener("message", ({ data }: { data: unknown }) => {
      heard.push(String(data));
      if (said !== undefined) webSocket.send(said(String(data)));
      if (heard.length === answers) resolve({});
    });
    webSocket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
  });
  webSocket.accept();
  for (const message of messages) webSocket.send(message);
  const ending = await done;
  webSocket.close();
  return { heard, ...ending };
}

describe("invariant 8: fair after login", () => {
  it("many commands at once let others in, in a body and in a message, and are all answered", async () => {
    const b = await bucket("fair commands");
    const lines = Array.from({ length: 3_000 }, () => `GET ${b} k`).join("\n");
    let text = "";
    expect(await letIn(async () => (text = await (await commands(lines)).text()))).toBeGreaterThan(4);
    expect(text).toBe("\r\nOK\r\n".repeat(3_000));
    for (const path of [`${b}/connect`, "../connect"]) {
      let heard: string[] = [];
      expect(await letIn(async () => ({ heard } = await conversation(path, [lines], 1)))).toBeGreaterThan(4);
      expect(heard.join("")).toBe("\r\nOK\r\n".repeat(3_000));
    }
  });

  it("large values in one message of a session let others in", async () => {
    const b = await bucket("fair session");
    const value = "v".repeat(60_000);
    const message = `[${Array.from({ length: 100 }, (_, id) => `{"id":${id},"batch":[{"op":"put","key":"k${id}","value":"${value}"}]}`).join(",")}]`;
    // A group has a quarter of a megabyte.
    expect(await letIn(() => conversation(`${b}/session`, [message], 1))).toBeGreaterThan(20);
  });

  it("many small messages let others in, and are answered in their order", async () => {
    const b = await bucket("fair messages");
    for (const [path, message, answer] of [
      [`${b}/connect`, (n: number) => `INCR ${b} own${n} ${n}`, (n: number) => `${n}\r\nOK\r\n`],
      ["../connect", (n: number) => `INCR ${b} any${n} ${n}`, (n: number) => `${n}\r\nOK\r\n`],
      [
        `${b}/session`,
        (n: number) => `[{"id":${n},"batch":[]}]`,
        (n: number) => `[{"id":${n},"ok":{"results":[]}}]`,
      ],
    ] as const) {
      const numbers = Array.from({ length: 300 }, (_, n) => n);
      let heard: string[] = [];
      const work = async (): Promise<void> => {
        ({ heard } = await conversation(path, numbers.map(message), 300));
      };
      expect([path, (await letIn(work)) > 1]).toEqual([path, true]);
      expect(heard).toEqual(numbers.map(answer));
    }
  });

  it("an import of invalid lines lets others in, and counts them all", async () => {
    const b = await bucket("fair import");
    let report: Record<string, unknown> = {};
    const body = "x\n".repeat(5_000);
    const work = async (): Promise<void> => {
      report = await jsonOf(await ask(`${b}/import?onError=continue`, { method: "POST", body }));
    };
    expect(await letIn(work)).toBeGreaterThan(40);
    expect(report).toMatchObject({ lines: 5_000, failed: 5_000, imported: 0 });
    expect(
      await letIn(() => ask(`${b}/import`, { method: "POST", body: "\n".repeat(50_000) })),
    ).toBeGreaterThan(40);
  });

  it("a long body lets others in, and is parsed as short bodies are", async () => {
    const b = await bucket("fair body");
    const dense = `[${"0,".repeat(250_000)}0]`;
    const operations = Array.from({ length: 4 }, (_, n) => `{"op":"put","key":"k${n}","json":${dense}}`);
    const work = async (): Promise<void> => {
      expect((await ask(`${b}/batch`, { method: "POST", body: `[${operations.join()}]` })).status).toBe(200);
    };
    expect(await letIn(work)).toBeGreaterThan(6);
    expect(await (await ask(`${b}/keys/k3`)).text()).toBe(dense);
    const wrong = `[${operations.join()},{"op":"put","key":"n","json":[${dense},12345678901234567]}]`;
    const refused = await ask(`${b}/batch`, { method: "POST", body: wrong });
    expect(await refused.json()).toMatchObject({
      code: "body_invalid",
      detail: expect.stringContaining("12345678901234567") as string,
    });
    expect((await ask(`${b}/keys/n`)).status).toBe(404);
  });

  it("a list that is too long is refused before its members are checked", async () => {
    const b = await bucket("fair list");
    for (const [path, body] of [
      ["batch", `[${"0,".repeat(500_000)}0]`],
      ["transaction", `{"then":[${"0,".repeat(500_000)}0]}`],
    ] as const) {
      const response = await ask(`${b}/${path}`, { method: "POST", body });
      const { code, detail } = await response.json<{ code: string; detail: string }>();
      expect([code, detail.includes("1000")]).toEqual(["body_invalid", true]);
    }
  });
});

describe("a batch whose answer is full", () => {
  it("reads nothing more, reports each value that has no room, and carries out the writes", async () => {
    const b = await bucket("full batch");
    await put(`${b}/keys/large`, "\u0001".repeat(1_048_576), { "Content-Type": "text/plain" });
    await put(`${b}/keys/small`, "s", { "Content-Type": "text/plain" });
    const stringify = vi.spyOn(JSON, "stringify");
    const operations = [
      ...Array.from({ length: 900 }, () => ({ op: "get", key: "large" })),
      { op: "get", key: "small" },
      { op: "put", key: "new", value: "1" },
    ];
    const { results } = await jsonOf<{ results: Record<string, unknown>[] }>(
      await post(`${b}/batch`, operations),
    );
    // Once, for what is answered: none to find out that it has no room.
    const long = stringify.mock.results.filter(({ value }) => String(value).length > 6_000_000);
    stringify.mockRestore();
    expect(long.length).toBe(1);
    expect(results[0]).toMatchObject({ found: true });
    for (const result of results.slice(1, 900)) {
      expect(result).toMatchObject({ error: { code: "result_too_large" } });
    }
    expect(results.slice(900)).toMatchObject([
      { found: true, value: "s" },
      { op: "put", created: true },
    ]);
  });
});

describe("a client that does not read", () => {
  it.each(["connect", "../connect"])(
    "at %s is closed with 1013 when it has been sent too much, and what it still asks for is not done",
    async (end) => {
      const b = await bucket(`unread ${end === "connect" ? "own" : "any"}`);
      await put(`${b}/keys/k`, "x".repeat(1_048_576), { "Content-Type": "text/plain" });
      const path = end === "connect" ? `${b}/connect` : end;
      const messages = [...Array.from({ length: 60 }, () => `GET ${b} k`), `PUT ${b} after 1`];
      const { code, reason, heard } = await conversation(path, messages, Infinity);
      expect([code, reason]).toEqual([1013, "slow_reader"]);
      expect(heard.length).toBe(31);
      expect((await ask(`${b}/keys/after`)).status).toBe(404);
    },
  );

  it("on a session is closed with 1013, and one that says what it has read is not", async () => {
    const b = await bucket("unread session");
    await put(`${b}/keys/k`, "x".repeat(1_048_576), { "Content-Type": "text/plain" });
    const request = '[{"id":1,"batch":[{"op":"get","key":"k"}]}]';
    const messages = Array.from({ length: 40 }, () => request);
    expect(await conversation(`${b}/session`, messages, 40)).toMatchObject({
      code: 1013,
      reason: "slow_reader",
    });
    const acknowledging = await conversation(
      `${b}/session`,
      messages,
      40,
      (answer) => `{"ack":${answer.length}}`,
    );
    expect([acknowledging.heard.length, acknowledging.code]).toEqual([40, undefined]);
  });

  it("with too many messages before their replies is closed with 1013", async () => {
    const b = await bucket("waiting messages");
    const large = `[{"id":1,"batch":[{"op":"put","key":"k","value":"${"x".repeat(1_000_000)}"}]}]`;
    const messages = Array.from({ length: 60 }, () => large);
    const { code, reason } = await conversation(`${b}/session`, messages, 60);
    expect([code, reason]).toEqual([1013, "too many messages before their replies"]);
    expect(await codeOf(await ask(`${b}/keys/other`))).toBe("key_not_found");
  });
});
