/** The options of `kv.bucket` for a bucket that need not exist, and for entries that end by themselves. */

import { afterAll, describe, expect, it, vi } from "vitest";
import { BucketNotFoundError, KvError, Kv, PreconditionFailedError } from "../../src/client/index.ts";
import { problem, scriptedWith } from "../e2e/support/scripted-fetch.ts";
import { server } from "../e2e/support/shared-server.ts";
import { kv } from "./support/shared-kv.ts";
import { WebSocket } from "ws";

const sessions = new Kv({ url: server.http, WebSocket });

describe("a bucket that is opened with create", () => {
  it("is empty for every read until something is written, and none of them creates it", async () => {
    const bucket = kv.bucket("first-reads", { create: true });
    expect(await bucket.get("a")).toBeUndefined();
    expect(await bucket.entry("a")).toBeUndefined();
    expect(await bucket.has("a")).toBe(false);
    expect(await bucket.delete("a")).toBe(false);
    expect(await bucket.getAndDelete("a")).toBeUndefined();
    expect(await bucket.deleteRange({ prefix: "" })).toBe(0);
    expect(await Array.fromAsync(bucket.list())).toEqual([]);
    expect(await bucket.update("a", () => undefined)).toBeUndefined();
    expect(
      await bucket.batch([
        { op: "get", key: "a", ifNoneMatch: "*" },
        { op: "delete", key: "b" },
        { op: "getAndDelete", key: "c" },
      ]),
    ).toEqual([
      { op: "get", key: "a", found: false },
      { op: "delete", key: "b", deleted: false },
      { op: "getAndDelete", key: "c", found: false },
    ]);
    expect(await new Response(await bucket.export()).text()).toBe("");
    expect(await kv.lookup("first-reads")).toBeUndefined();
  });

  it.each([
    ["put", (name: string) => kv.bucket(name, { create: true }).put("a", 1)],
    ["increment", (name: string) => kv.bucket(name, { create: true }).increment("a")],
    ["update", (name: string) => kv.bucket(name, { create: true }).update("a", () => 1)],
    ["batch", (name: string) => kv.bucket(name, { create: true }).batch([{ op: "put", key: "a", value: 1 }])],
    [
      "transaction",
      (name: string) =>
        kv.bucket(name, { create: true }).transaction({ then: [{ op: "put", key: "a", value: 1 }] }),
    ],
    ["import", (name: string) => kv.bucket(name, { create: true }).import('{"key":"a","value":"1"}\n')],
  ])("is created by its first %s", async (method, write) => {
    const name = `first-${method}`;
    await write(name);
    expect(await kv.bucket(name).get("a")).toBe(1);
  });

  it("is created with the options that were given", async () => {
    const create = { restart: "temporary", metadata: { of: "Ann" } } as const;
    await kv.bucket("first-options", { create }).put("a", 1);
    expect(await kv.lookup("first-options")).toMatchObject(create);
  });

  it("is created once, by many first writes at once", async () => {
    const bucket = kv.bucket<Record<string, number>>("first-crowd", { create: true });
    await Promise.all(Array.from({ length: 20 }, () => bucket.increment("n")));
    expect(await bucket.get("n")).toBe(20);
  });

  it("is created again after it was stopped", async () => {
    const bucket = kv.bucket("first-again", { create: true });
    await bucket.put("a", 1);
    await kv.stop("first-again");
    expect(await bucket.get("a")).toBeUndefined();
    await bucket.put("a", 2);
    expect(await bucket.get("a")).toBe(2);
  });

  it("is created by a watch, which then hears the first write", async () => {
    const bucket = kv.bucket("first-watch", { create: true });
    const changes = bucket.watch({ snapshot: true });
    expect((await changes.next()).value).toEqual({ event: "begin" });
    await bucket.put("a", 1);
    for await (const change of changes) if (change.event === "put" || change.event === "entry") break;
    await changes.return();
  });

  it("is created by the first write of a session, whose reads find nothing until then", async () => {
    using session = sessions.bucket("first-session", { create: true }).session();
    expect(await session.bucket.get("a")).toBeUndefined();
    expect(await session.bucket.getAndDelete("a")).toBeUndefined();
    expect(await kv.lookup("first-session")).toBeUndefined();
    await Promise.all([session.bucket.put("a", 1), session.bucket.put("b", 2)]);
    expect(await session.bucket.get("b")).toBe(2);
  });

  it("by a session keeps the order of its calls, also while it is created", async () => {
    using session = sessions.bucket<Record<string, number>>("first-order", { create: true }).session();
    const { bucket } = session;
    const [before, , after, list] = await Promise.all([
      bucket.get("a"),
      bucket.put("a", 1),
      bucket.get("a"),
      Array.fromAsync(bucket.list()),
      bucket.increment("a"),
    ]);
    expect([before, after, list.map(({ key }) => key)]).toEqual([undefined, 1, ["a"]]);
    expect(await bucket.get("a")).toBe(2);
  });

  it("by a session that may not retry keeps the order of its calls too", async () => {
    const once = new Kv({ url: server.http, WebSocket, retries: 0 });
    using session = once.bucket<Record<string, number>>("first-once", { create: true }).session();
    await Promise.all(Array.from({ length: 200 }, (_, n) => session.bucket.put("k", n)));
    expect(await session.bucket.get("k")).toBe(199);
  });

  it.each([
    ["over HTTP", (name: string) => kv.bucket(name, { create: true })],
    ["by a session", (name: string) => sessions.bucket(name, { create: true }).session().bucket],
  ])("still has conditions: there is no such key in a bucket that does not exist, %s", async (how, open) => {
    const ifMatch = "*";
    for (const method of ["put", "delete", "getAndDelete"] as const) {
      const bucket = open(`first-conditions-${how.length}-${method}`);
      const refused = method === "put" ? bucket.put("a", 1, { ifMatch }) : bucket[method]("a", { ifMatch });
      await expect(refused, method).rejects.toBeInstanceOf(PreconditionFailedError);
    }
  });

  it("is created within the time of the call, and by its signal", async () => {
    const hanging = (url: string, init?: RequestInit): Promise<Response> => {
      if (init?.method !== "PUT" || url.includes("/keys/")) return fetch(url, init);
      return new Promise((_, reject) => {
        init.signal?.addEventListener("abort", () => reject(init.signal?.reason as Error));
      });
    };
    const bucket = new Kv({ url: server.http, fetch: hanging, timeoutMs: 3_600_000 }).bucket("first-slow", {
      create: true,
    });
    await expect(bucket.put("a", 1, { timeoutMs: 300 })).rejects.toMatchObject({ code: "timeout" });
    await expect(bucket.import("", { timeoutMs: 50 })).rejects.toMatchObject({ code: "timeout" });
    for (const call of [
      (signal: AbortSignal) => bucket.put("a", 1, { signal }),
      (signal: AbortSignal) => bucket.import("", { signal }),
    ]) {
      const end = new AbortController();
      const calling = call(end.signal);
      end.abort(new Error("enough"));
      await expect(calling).rejects.toThrow("enough");
    }
    const end = new AbortController();
    const next = bucket.watch({ signal: end.signal }).next();
    end.abort();
    await next.catch(() => undefined);
    expect(await kv.lookup("first-slow")).toBeUndefined();
  });

  it("is not written to any more when the call's time is over", async () => {
    const { asked, kv: slow } = scriptedWith(
      { timeoutMs: 3_600_000 },
      problem(404, "bucket_not_found"),
      Response.json({ name: "b", id: "0", incarnation: "1", status: "running" }, { status: 201 }),
      "hang",
    );
    vi.useFakeTimers();
    try {
      const putting = slow.bucket("b", { create: true }).put("a", 1, { timeoutMs: 60_000 });
      const over = putting.catch((error: unknown) => error);
      // A step of time for each request, of which the third hangs.
      for (let step = 0; step < 60; step += 1) await vi.advanceTimersByTimeAsync(1_000);
      expect(await over).toMatchObject({ code: "timeout", outcomeUnknown: true });
    } finally {
      vi.useRealTimers();
    }
    expect([asked.length, asked.at(-1)?.init.signal?.aborted]).toEqual([3, true]);
  });

  it("is not a complete list, when it ends between two pages", async () => {
    const bucket = kv.bucket<Record<string, number>>("first-ended", { create: true });
    await bucket.batch(
      Array.from({ length: 1_000 }, (_, n) => ({ op: "put", key: `${n}`, value: n }) as const),
    );
    await bucket.put("last", 1);
    const entries = bucket.list();
    for (let n = 0; n < 1_000; n += 1) expect((await entries.next()).done).toBe(false);
    await kv.stop("first-ended");
    await expect(entries.next()).rejects.toBeInstanceOf(BucketNotFoundError);
  });

  it("takes a bucket that exists with other options for what it needs", async () => {
    await kv.create("first-other", { restart: "temporary" });
    const bucket = kv.bucket("first-other", { create: { restart: "permanent" } });
    await bucket.put("text", 1);
    await bucket.import('{"key":"a","value":"1"}\n');
    const changes = bucket.watch({ snapshot: true });
    expect((await changes.next()).value).toEqual({ event: "begin" });
    await changes.return();
    expect(await kv.lookup("first-other")).toMatchObject({ restart: "temporary", entries: 2 });
  });
});

describe("a bucket that is opened without create", () => {
  it("has to exist", async () => {
    await expect(kv.bucket("first-none").put("a", 1)).rejects.toBeInstanceOf(BucketNotFoundError);
    await expect(kv.bucket("first-none", { create: false }).get("a")).rejects.toBeInstanceOf(
      BucketNotFoundError,
    );
  });
});

describe("a default time to live", () => {
  const bucket = kv.bucket<Record<string, number>>("first-ttl", { create: true, ttl: 3_600 });
  afterAll(() => kv.stop("first-ttl"));

  const secondsLeft = async (key: string): Promise<number> =>
    Math.round((Number((await bucket.entry(key))?.expires) - Date.now()) / 1_000);

  it("is that of each entry that is stored", async () => {
    await bucket.put("put", 1);
    await bucket.increment("increment");
    await bucket.update("update", () => 1);
    await bucket.batch([{ op: "put", key: "batch", value: 1 }]);
    await bucket.transaction({ then: [{ op: "increment", key: "transaction" }] });
    for (const key of ["put", "increment", "update", "batch", "transaction"]) {
      expect(await secondsLeft(key), key).toBeGreaterThan(3_000);
    }
  });

  it("gives way to a ttl or a time that is given", async () => {
    await bucket.put("ttl", 1, { ttl: 7_200 });
    expect(await secondsLeft("ttl")).toBeGreaterThan(7_000);
    await bucket.put("expires", 1, { expires: new Date(Date.now() + 7_200_000) });
    expect(await secondsLeft("expires")).toBeGreaterThan(7_000);
  });

  it("gives way to Infinity, which means never", async () => {
    await bucket.put("never", 1, { ttl: Infinity });
    expect((await bucket.entry("never"))?.expires).toBeUndefined();
    await bucket.batch([{ op: "put", key: "never-2", value: 1, ttl: Infinity }]);
    expect((await bucket.entry("never-2"))?.expires).toBeUndefined();
  });

  it("over a session is the same", async () => {
    using session = sessions.bucket("first-ttl", { ttl: 3_600 }).session();
    await session.bucket.put("session", 1);
    expect(await secondsLeft("session")).toBeGreaterThan(3_000);
  });
});

describe("options that can't be heeded", () => {
  it.each([
    [{ create: "yes" }],
    [{ create: { restarts: "permanent" } }],
    [{ create: null }],
    [{ ttl: 0 }],
    [{ ttl: Infinity }],
    [{ ttl: "60" }],
    [{ schema: {} }],
    [{ created: true }],
  ])("are refused: %j", (options) => {
    expect(() => kv.bucket("first-options-2", options as never)).toThrow(KvError);
  });
});
