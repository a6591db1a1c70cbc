/** The client's sessions: a bucket on a WebSocket of its own. */

import { describe, expect, it, vi } from "vitest";
import {
  BucketNotFoundError,
  ConnectionError,
  Kv,
  KvError,
  TimeoutError,
  type KvOptions,
} from "../../src/client/index.ts";
import { server } from "../e2e/support/shared-server.ts";
import { bucketOf, kv } from "./support/shared-kv.ts";

/** A session on a bucket of its own, what it has sent in which messages, and through which sockets. */
async function recordedSession<V>(name: string, options: Omit<KvOptions, "url"> = {}) {
  const sent: string[] = [];
  const opened: WebSocket[] = [];
  class Recorded extends WebSocket {
    constructor(...args: ConstructorParameters<typeof WebSocket>) {
      super(...args);
      opened.push(this);
    }
    override send(data: string): void {
      sent.push(data);
      super.send(data);
    }
  }
  const bucket = await bucketOf<Record<string, V>>(name);
  const client = new Kv({ url: server.http, WebSocket: Recorded, ...options });
  return { sent, opened, bucket, session: client.bucket<Record<string, V>>(name).session() };
}

describe("a session", () => {
  it("sends in one message what is asked for in one turn, and doesn't wait for answers in between", async () => {
    const { sent, session } = await recordedSession<number>("client-session");
    await Promise.all(Array.from({ length: 50 }, (_, n) => session.bucket.put(`k${n}`, n)));
    expect(sent).toHaveLength(1);
    const got = await Promise.all(Array.from({ length: 50 }, (_, n) => session.bucket.get(`k${n}`)));
    expect(got).toEqual(Array.from({ length: 50 }, (_, n) => n));
    expect(sent).toHaveLength(2);
    const results = await Promise.allSettled([
      session.bucket.put("k0", 1, { ifNoneMatch: "*" }),
      session.bucket.increment("k1"),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    session.close();
    await expect(session.bucket.get("k0")).rejects.toMatchObject({ code: "session_closed" });
  });

  it("connects again after its connection broke, and says of what was outstanding that it is unknown", async () => {
    const { opened, session } = await recordedSession<number>("client-session-broken");
    await session.bucket.put("a", 1);
    const outstanding = session.bucket.put("a", 2);
    // Sent, once all that is due has run; the answer has to come over the network.
    await new Promise(setImmediate);
    opened[0]?.dispatchEvent(new Event("error"));
    const error: unknown = await outstanding.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ConnectionError);
    expect((error as KvError).outcomeUnknown).toBe(true);
    expect([1, 2]).toContain(await session.bucket.get("a"));
    expect(opened).toHaveLength(2);
    session.close();
  });

  it("with a bucket that is not there says so, and with one that ends", async () => {
    const nowhere = kv.bucket("client-session-nowhere").session();
    await expect(nowhere.bucket.get("a")).rejects.toBeInstanceOf(BucketNotFoundError);
    nowhere.close();
    const ended = (await bucketOf("client-session-ends")).session();
    await ended.bucket.put("a", 1);
    await kv.stop("client-session-ends");
    await expect(ended.bucket.get("a")).rejects.toBeInstanceOf(KvError);
    await expect(ended.bucket.get("a")).rejects.toBeInstanceOf(BucketNotFoundError);
    ended.close();
  });

  it("takes thousands of calls in one turn, and large ones, in as many messages as it needs", async () => {
    const { sent, bucket, session } = await recordedSession<string>("client-session-many");
    await Promise.all(Array.from({ length: 2_500 }, (_, n) => session.bucket.put(`k${n}`, "")));
    expect(sent.length).toBe(5);
    const large = "x".repeat(300_000);
    await Promise.all(Array.from({ length: 30 }, (_, n) => session.bucket.put(`large${n}`, large)));
    const got = await Promise.all(Array.from({ length: 30 }, (_, n) => session.bucket.get(`large${n}`)));
    expect(got.every((found) => found === large)).toBe(true);
    expect((await bucket.deleteRange({ prefix: "" })).valueOf()).toBe(2_530);
    session.close();
  });

  it("says what it has read, so that the service goes on to send", async () => {
    const { sent, session } = await recordedSession<string>("client-session-acks");
    await session.bucket.put("large", "x".repeat(400_000));
    for (let n = 0; n < 6; n += 1) await session.bucket.get("large");
    const acks = sent
      .filter((message) => message.startsWith("{"))
      .map((message) => JSON.parse(message) as unknown);
    expect(acks).toEqual([{ ack: expect.any(Number) as number }, { ack: expect.any(Number) as number }]);
    session.close();
  });

  it("lets a call that can't be sent fail alone", async () => {
    const session = (await bucketOf<Record<string, number>>("client-session-poison")).session();
    const results = await Promise.allSettled([
      session.bucket.put("x", 1, { metadata: new Map() }),
      session.bucket.put("y", 2),
      session.bucket.get("y"),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
    session.close();
  });

  it("sends again what may be done twice", async () => {
    const { opened, session } = await recordedSession<number>("client-session-again", { retryBaseMs: 1 });
    await session.bucket.put("a", 1);
    const once = { idempotencyKey: "k" };
    const outstanding = Promise.all([
      session.bucket.get("a"),
      session.bucket.transaction({ then: [{ op: "increment", key: "a" }] }, once),
      session.bucket.transaction({ then: [{ op: "get", key: "a" }] }),
    ]);
    await new Promise(setImmediate);
    opened[0]?.dispatchEvent(new Event("error"));
    await outstanding;
    expect(await session.bucket.get("a")).toBe(2);
    session.close();
  });

  it("gives up when it is told to", async () => {
    const session = (await bucketOf("client-session-abort")).session();
    const reason = new Error("never mind");
    await expect(session.bucket.get("a", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    session.close();
  });

  it("keeps the order of what is asked for on it, up to the largest value that travels with others", async () => {
    const session = (await bucketOf<Record<string, string>>("client-session-order")).session();
    const largest = "x".repeat(1_048_574);
    for (let n = 0; n < 3; n += 1) {
      await Promise.all([session.bucket.put("a", largest), session.bucket.put("a", "last")]);
      expect(await session.bucket.get("a")).toBe("last");
    }
    session.close();
  });

  it("goes on after one of its calls has timed out", async () => {
    const session = (await bucketOf<Record<string, string>>("client-session-timeout")).session();
    await session.bucket.put("a", "1");
    const impatient = session.bucket.get("a", { timeoutMs: 0 });
    const others = Array.from({ length: 60 }, (_, n) => session.bucket.put(`k${n}`, "x".repeat(30_000)));
    await expect(impatient).rejects.toBeInstanceOf(TimeoutError);
    expect((await Promise.allSettled(others)).every(({ status }) => status === "fulfilled")).toBe(true);
    session.close();
  });

  it("on a connection that is dead comes back on another one", async () => {
    const { opened, session } = await recordedSession<number>("client-session-dead", { timeoutMs: 60_000 });
    await session.bucket.put("a", 1);
    // What is sent from now on goes nowhere.
    Object.assign(opened[0] ?? {}, { send: () => undefined });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      const lost = session.bucket.put("a", 2).catch((error: unknown) => error);
      await vi.advanceTimersByTimeAsync(60_000);
      expect(await lost).toMatchObject({ code: "timeout", outcomeUnknown: true });
    } finally {
      vi.useRealTimers();
    }
    await session.bucket.put("a", 3);
    expect(opened).toHaveLength(2);
    session.close();
  });

  it("tells of an entry what HTTP tells of it", async () => {
    const bucket = await bucketOf<Record<string, number>>("client-session-entry");
    await bucket.put("a", 1, { metadata: { x: 1 } });
    using session = bucket.session();
    const [told, over] = [await session.bucket.entry("a"), await bucket.entry("a")];
    // When it was written, no header says.
    expect({ ...told, modified: undefined }).toEqual(over);
    expect(Object.keys(told ?? {}).toSorted()).toEqual(Object.keys(over ?? {}).toSorted());
  });

  it("says of what was never sent that it was not done", async () => {
    const closed = kv.bucket("client-session-unsent").session();
    closed.close();
    const nowhere = new Kv({ url: "http://127.0.0.1:9", retryBaseMs: 1, retries: 0 }).bucket("b").session();
    const large = (await bucketOf<Record<string, string>>("client-session-large")).session();
    const puts = (count: number, value: string) =>
      Array.from({ length: count }, () => ({ op: "put" as const, key: "a", value }));
    for (const [call, code] of [
      [closed.bucket.put("a", 1), "session_closed"],
      [large.bucket.batch(puts(20, "x".repeat(900_000))), "body_too_large"],
      // Bytes count, not characters.
      [large.bucket.batch(puts(20, "€".repeat(349_000))), "body_too_large"],
    ] as const) {
      const error: unknown = await call.catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code, outcomeUnknown: false });
    }
    await expect(nowhere.bucket.put("a", 1)).rejects.toBeInstanceOf(ConnectionError);
    expect(await large.bucket.get("a")).toBeUndefined();
    for (const session of [nowhere, large]) session.close();
  });
});
