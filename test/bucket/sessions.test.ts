/** Sessions on the bucket's object: JSON requests on a WebSocket. */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { ask, bucket, codeOf, jsonOf, post, put } from "../support/http.ts";

interface Answer {
  readonly id: number | null;
  readonly ok?: Record<string, unknown>;
  readonly error?: { readonly code: string };
}

interface Session {
  readonly asks: (request: Record<string, unknown>) => Promise<Answer>;
  /** All answers to a message, which is sent as it is, while nothing else is under way. */
  readonly answersTo: (message: string) => Promise<Answer[]>;
  readonly close: () => void;
}

async function session(b: string): Promise<Session> {
  const { webSocket } = await ask(`${b}/session`, { headers: { Upgrade: "websocket" } });
  const waiting = new Map<number, (answer: Answer) => void>();
  let heard: ((answers: Answer[]) => void) | undefined;
  webSocket?.addEventListener("message", ({ data }: { data: unknown }) => {
    heard?.(JSON.parse(String(data)) as Answer[]);
    for (const answer of JSON.parse(String(data)) as Answer[]) waiting.get(answer.id ?? -1)?.(answer);
  });
  webSocket?.accept();
  let id = 0;
  return {
    asks: (request) =>
      new Promise((resolve) => {
        waiting.set((id += 1), resolve);
        webSocket?.send(JSON.stringify([{ id, ...request }]));
      }),
    answersTo: (message) =>
      new Promise((resolve) => {
        heard = resolve;
        webSocket?.send(message);
      }),
    close: () => webSocket?.close(),
  };
}

describe("a session", () => {
  it("refuses what no key can be compared with, and its bucket lives on", async () => {
    const b = await bucket("session long prefix");
    await put(`${b}/keys/precious`);
    const { asks, close } = await session(b);
    const long = "x".repeat(12_000_000);
    for (const list of [{ prefix: long }, { cursor: long }]) {
      expect(await asks({ list })).toMatchObject({ error: { code: "body_invalid" } });
    }
    expect(await asks({ list: {} })).toMatchObject({ ok: { keys: [{ key: "precious" }] } });
    expect(await jsonOf(await ask(b))).toMatchObject({ restarts: 0, entries: 1 });
    close();
  });

  it("says what is wrong with a request, and where", async () => {
    const b = await bucket("session wrong");
    const { asks, close } = await session(b);
    for (const [request, words] of [
      [{ batch: [{ op: "move", key: "a" }] }, "batch[0].op"],
      [{ batch: [{ op: "get", key: 5 }] }, "batch[0].key"],
      [{ batch: {} }, "batch: "],
      [{ list: { limit: 0 } }, "list.limit"],
      [{ transaction: { then: [{ op: "put", key: "a", value: "1", ttl: -1 }] } }, "transaction.then[0].ttl"],
      [{ transaction: {}, list: {} }, "`batch`, `transaction` and `list`"],
      [{}, "`batch`, `transaction` and `list`"],
    ] as const) {
      const { error } = await asks(request);
      expect(error).toMatchObject({ code: "body_invalid", detail: expect.stringContaining(words) as string });
    }
    close();
  });

  it("remembers a long transaction by its fingerprint", async () => {
    const b = await bucket("session long transaction");
    const { asks, close } = await session(b);
    const then = Array.from({ length: 12 }, (_, n) => ({
      op: "put",
      key: `k${n}`,
      value: "x".repeat(900_000),
    }));
    for (let times = 0; times < 2; times += 1) {
      expect(await asks({ transaction: { then }, idempotencyKey: "k" })).toMatchObject({
        ok: { succeeded: true },
      });
    }
    expect(await jsonOf(await ask(b))).toMatchObject({ restarts: 0, entries: 12, revision: 12 });
    close();
  });

  it("refuses what a header could not carry as it is: it would be another request over HTTP", async () => {
    const b = await bucket("session blanks");
    const { asks, close } = await session(b);
    const then = [{ op: "increment", key: "n" }];
    for (const idempotencyKey of ["", " a", "a "]) {
      expect(await asks({ transaction: { then }, idempotencyKey })).toMatchObject({
        error: { code: "header_invalid" },
      });
    }
    for (const type of ["", " text/x"]) {
      const operation = { op: "put", key: "a", value: "1", type };
      expect(await asks({ batch: [operation] })).toMatchObject({ error: { code: "content_type_invalid" } });
    }
    expect(await jsonOf(await ask(b))).toMatchObject({ entries: 0 });
    close();
  });

  it("and HTTP know a request by what it says, not by how it was written", async () => {
    const b = await bucket("session and http");
    const { asks, close } = await session(b);
    const then = [{ op: "increment", key: "n", by: 5 }];
    const first = await asks({ transaction: { then }, idempotencyKey: "order 17" });
    const headers = { "Idempotency-Key": "order 17" };
    const again = await ask(`${b}/transaction`, {
      method: "POST",
      body: `{ "then" : [ {"by":5, "key":"n", "op":"increment"} ] }`,
      headers,
    });
    expect(again.headers.get("Idempotency-Replayed")).toBe("true");
    expect(await again.json()).toEqual(first.ok);
    const other = await post(`${b}/transaction`, { then: [{ op: "increment", key: "n", by: 6 }] }, headers);
    expect(await codeOf(other)).toBe("idempotency_key_reused");
    close();
  });

  it("answers each request of a message that has an id, and does those that are right", async () => {
    const b = await bucket("session mixed");
    const { answersTo, close } = await session(b);
    const right = (key: string): string => `{"id":1,"batch":[{"op":"put","key":"${key}","value":"1"}]}`;
    const many = `{"id":7,"batch":[${'{"op":"get","key":"a"},'.repeat(1_000)}{"op":"get","key":"a"}]}`;
    for (const [wrong, expected] of [
      ['{"id":7,"batch":[{"op":"put","key":"x","json":1e400}]}', { id: 7, error: { code: "body_invalid" } }],
      [many, { id: 7, error: { code: "body_invalid" } }],
      ['{"id":7}', { id: 7, error: { code: "body_invalid" } }],
      ['{"id":7,"list":{"limit":1e999}}', { id: 7, error: { code: "body_invalid" } }],
      ['{"batch":[]}', { id: null, error: { code: "body_invalid" } }],
      ['{"id":-1,"batch":[]}', { id: null, error: { code: "body_invalid" } }],
      ['{"id":"7","batch":[]}', { id: null, error: { code: "body_invalid" } }],
      ["17", { id: null, error: { code: "body_invalid" } }],
      ["null", { id: null, error: { code: "body_invalid" } }],
      ["[]", { id: null, error: { code: "body_invalid" } }],
    ] as const) {
      const answers = await answersTo(`[${right("a")} , ${wrong},${right("b")}]`);
      expect([wrong, answers]).toMatchObject([wrong, [{ id: 1, ok: {} }, expected, { id: 1, ok: {} }]]);
    }
    expect(await jsonOf(await ask(b))).toMatchObject({ entries: 2, revision: 20 });
    close();
  });

  it("runs each batch by itself where one of them throws, and answers each as if it had come alone", async () => {
    const b = await bucket("session with a fault");
    const { answersTo, close } = await session(b);
    await put(`${b}/keys/a`, "1");
    const { id } = await jsonOf(await ask(b));
    await runInDurableObject(env.BUCKET.get(env.BUCKET.idFromString(String(id))), (_, { storage }) => {
      const exec = storage.sql.exec.bind(storage.sql);
      storage.sql.exec = (text: string, ...bindings: unknown[]) => {
        if (text.startsWith("INSERT OR REPLACE INTO entries") && bindings[0] === "full") {
          throw new Error("database or disk is full: SQLITE_FULL");
        }
        return exec(text, ...bindings);
      };
    });
    const put1 = (key: string): string => `{"id":1,"batch":[{"op":"put","key":"${key}","value":"1"}]}`;
    const answers = await answersTo(
      `[${put1("b")},{"id":2,"batch":[{"op":"get","key":"a"}]},${put1("full")},${put1("c")}]`,
    );
    expect(answers).toMatchObject([
      { id: 1, ok: {} },
      { id: 2, ok: { results: [{ value: "1" }] } },
      { id: 1, error: {} },
      { id: 1, ok: {} },
    ]);
    expect(await jsonOf(await ask(b))).toMatchObject({ entries: 3, revision: 3 });
    close();
  });

  it("answers a message that can't be taken apart as one", async () => {
    const b = await bucket("session whole");
    const { answersTo, close } = await session(b);
    const tooMany = `[${'{"id":1,"batch":[]},'.repeat(1_000)}{"id":1,"batch":[]}]`;
    for (const message of ["{}", "17", "[1,]", '[{"id":1,"batch":[]}', "", tooMany, '"\ufffd"']) {
      expect(await answersTo(message)).toMatchObject([{ id: null, error: { code: "body_invalid" } }]);
    }
    close();
  });

  it("keeps JSON as it was sent", async () => {
    const b = await bucket("session kept");
    const { answersTo, close } = await session(b);
    const json = '{"b":-0,"2":1.0,"1":1,"1":2}';
    await answersTo(`[{"id":1,"batch":[{"op":"put","key":"a","json":${json},"metadata":${json}}]}]`);
    expect(await (await ask(`${b}/keys/a`)).text()).toBe(json);
    expect((await ask(`${b}/keys/a`)).headers.get("KV-Metadata")).toBe(json);
    close();
  });

  it("has no limit to its pace: an object may have ten thousand timers, and requests need none", async () => {
    const b = await bucket("session pace");
    const { webSocket } = await ask(`${b}/session`, { headers: { Upgrade: "websocket" } });
    const failed: unknown[] = [];
    let answered = 0;
    const all = new Promise<void>((resolve) => {
      webSocket?.addEventListener("message", ({ data }: { data: unknown }) => {
        const answers = JSON.parse(String(data)) as Answer[];
        answered += answers.length;
        failed.push(...answers.filter(({ error }) => error !== undefined));
        if (answered === 11_000) resolve();
      });
    });
    webSocket?.accept();
    const requests = JSON.stringify(Array.from({ length: 500 }, (_, id) => ({ id, batch: [] })));
    for (let n = 0; n < 22; n += 1) webSocket?.send(requests);
    await all;
    expect(failed.slice(0, 1)).toEqual([]);
    webSocket?.close();
  });
});
