/** Watches over Server-Sent Events and WebSocket. */

import { describe, expect, it } from "vitest";
import { ask, bucket, codeOf, jsonOf, post, put } from "../support/http.ts";
import { SseReader } from "../support/sse.ts";

const watch = async (b: string, query = "", headers: HeadersInit = {}): Promise<SseReader> => {
  const response = await ask(`${b}/watch${query}`, { headers });
  expect([response.status, response.headers.get("Content-Type")]).toEqual([
    200,
    "text/event-stream; charset=utf-8",
  ]);
  return new SseReader(response);
};

describe("watching over Server-Sent Events", () => {
  it("brings changes as they happen, under ids that resume behind them", async () => {
    const b = await bucket("sse changes");
    const { incarnation } = await jsonOf<{ incarnation: string }>(await ask(b));
    const stream = await watch(b);
    await put(`${b}/keys/milk?ttl=60`, "1", { "Content-Type": "text/x" });
    await ask(`${b}/keys/milk`, { method: "DELETE" });
    expect(await stream.next()).toMatchObject({
      event: "put",
      id: `${incarnation}-1`,
      data: { key: "milk", revision: 1, value: "1", type: "text/x", expires: expect.any(String) as string },
    });
    expect(await stream.next()).toMatchObject({
      event: "delete",
      id: `${incarnation}-2`,
      data: { key: "milk" },
    });
    await stream.close();
    await put(`${b}/keys/eggs`);
    for (const resumed of [
      await watch(b, "", { "Last-Event-ID": `${incarnation}-1` }),
      await watch(b, `?since=${incarnation}-1`),
      await watch(b, "?since=1"),
      // What the client has heard comes before what it once asked for.
      await watch(b, "?since=0&snapshot=true", { "Last-Event-ID": `${incarnation}-1` }),
    ]) {
      expect([await resumed.next(), await resumed.next()]).toMatchObject([
        { event: "delete", data: { revision: 2 } },
        { event: "put", data: { key: "eggs", revision: 3 } },
      ]);
      await resumed.close();
    }
  });

  it("begins with a snapshot, if it is asked to", async () => {
    const b = await bucket("sse snapshot");
    await post(
      `${b}/batch`,
      ["a", "b", "c"].map((key) => ({ op: "put", key, value: key })),
    );
    const stream = await watch(b, "?snapshot=true&values=false&prefix=b");
    expect([await stream.next(), await stream.next()]).toMatchObject([
      { event: "entry", data: { key: "b" } },
      { event: "end_of_snapshot", data: { revision: 3 } },
    ]);
    await put(`${b}/keys/b2`);
    const change = await stream.next();
    expect(change).toMatchObject({ event: "put", data: { key: "b2" } });
    expect(change?.data).not.toHaveProperty("value");
    await stream.close();
  });

  it("reports the bucket's end, and ends", async () => {
    const b = await bucket("sse down");
    const stream = await watch(b);
    await ask(b, { method: "DELETE" });
    expect(await stream.next()).toMatchObject({ event: "DOWN", data: { reason: "normal" } });
    expect(await stream.next()).toBeUndefined();
  });

  it("treats an empty Last-Event-ID as none: browsers send it before the first event", async () => {
    const b = await bucket("sse empty id");
    const stream = await watch(b, "?since=0", { "Last-Event-ID": "" });
    await put(`${b}/keys/a`);
    expect(await stream.next()).toMatchObject({ event: "put", data: { key: "a" } });
    await stream.close();
  });

  it("is 410 for what the log no longer has, and for another bucket of the name", async () => {
    const b = await bucket("sse compacted");
    const { incarnation } = await jsonOf<{ incarnation: string }>(await ask(b));
    await put(`${b}/keys/a`);
    const old = await ask(`${b}/watch`, { headers: { "Last-Event-ID": `${incarnation}-9` } });
    expect([old.status, await codeOf(old)]).toEqual([410, "revision_compacted"]);
    await ask(b, { method: "DELETE" });
    await bucket("sse compacted");
    await put(`${b}/keys/a`);
    const other = await ask(`${b}/watch`, { headers: { "Last-Event-ID": `${incarnation}-1` } });
    expect([other.status, await codeOf(other)]).toEqual([410, "revision_compacted"]);
  });

  it("reports what is wrong with its query", async () => {
    const b = await bucket("sse wrong");
    for (const [query, code] of [
      ["?prefix=a&key=b", "query_invalid"],
      ["?key=", "key_invalid"],
      ["?since=yesterday", "cursor_invalid"],
      ["?snapshot=1", "query_invalid"],
      ["?before=1", "query_invalid"],
      ["?snapshot=true&since=0", "query_invalid"],
    ] as const) {
      expect([query, await codeOf(await ask(`${b}/watch${query}`))]).toEqual([query, code]);
    }
    expect(await codeOf(await ask("sse-nowhere/watch"))).toBe("bucket_not_found");
  });
});

describe("watching over WebSocket", () => {
  it("sends arrays of events, and first the position at which it begins", async () => {
    const b = await bucket("ws changes");
    const { webSocket } = await ask(`${b}/watch`, { headers: { Upgrade: "websocket" } });
    const messages: unknown[] = [];
    const two = new Promise<void>((resolve) => {
      webSocket?.addEventListener("message", ({ data }: { data: unknown }) => {
        messages.push(JSON.parse(String(data)));
        if (messages.length === 2) resolve();
      });
    });
    webSocket?.accept();
    await post(`${b}/batch`, [
      { op: "put", key: "a", value: "1" },
      { op: "delete", key: "a" },
    ]);
    await two;
    expect(messages).toMatchObject([
      [{ event: "begin", revision: 0 }],
      [
        { event: "put", key: "a", value: "1", revision: 1 },
        { event: "delete", key: "a", revision: 2 },
      ],
    ]);
    webSocket?.close();
  });

  it("answers a ping while the bucket sleeps", async () => {
    const b = await bucket("ws ping");
    const { webSocket } = await ask(`${b}/watch`, { headers: { Upgrade: "websocket" } });
    const answered = new Promise<string>((resolve) => {
      webSocket?.addEventListener("message", ({ data }: { data: unknown }) => {
        if (String(data).includes("pong")) resolve(String(data));
      });
    });
    webSocket?.accept();
    webSocket?.send('{"ping":true}');
    expect(await answered).toBe('{"pong":true}');
    webSocket?.close();
  });
});
