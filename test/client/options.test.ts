/** What the client does not know, or can't be meant, is refused before anything is sent. */

import { describe, expect, it } from "vitest";
import { Kv, KvError, type Bucket } from "../../src/client/index.ts";
import { KeyvDurableKv } from "../../src/keyv/index.ts";
import { scripted } from "../e2e/support/scripted-fetch.ts";

// Programs in JavaScript have no types that would say so.
type Anything = any; // oxlint-disable-line typescript/no-explicit-any -- as JavaScript calls it
type Call = (bucket: Bucket, kv: Kv) => Anything;

/** The error of a call; at the latest when the first of what it gives is read. */
async function refusalOf(call: Call): Promise<unknown> {
  const { asked, kv } = scripted();
  const error: unknown = await (async () => {
    const given: unknown = await call(kv.bucket("b"), kv);
    await (given as AsyncGenerator | undefined)?.next?.();
  })().catch((caught: unknown) => caught);
  expect(asked).toEqual([]);
  return error;
}

const METHODS: Record<string, (bucket: Bucket, kv: Kv, options: Anything) => Anything> = {
  get: (b, _, options) => b.get("a", options),
  entry: (b, _, options) => b.entry("a", options),
  has: (b, _, options) => b.has("a", options),
  put: (b, _, options) => b.put("a", 1, options),
  delete: (b, _, options) => b.delete("a", options),
  getAndDelete: (b, _, options) => b.getAndDelete("a", options),
  getAndDeleteEntry: (b, _, options) => b.getAndDeleteEntry("a", options),
  increment: (b, _, options) => b.increment("a", options),
  update: (b, _, options) => b.update("a", () => 1, options),
  list: (b, _, options) => b.list(options),
  deleteRange: (b, _, options) => b.deleteRange({ prefix: "" }, options),
  "deleteRange's range": (b, _, options) => b.deleteRange(options),
  batch: (b, _, options) => b.batch([], options),
  transaction: (b, _, options) => b.transaction({}, options),
  watch: (b, _, options) => b.watch(options),
  export: (b, _, options) => b.export(options),
  import: (b, _, options) => b.import("", options),
  create: (_, kv, options) => kv.create("b", options),
  lookup: (_, kv, options) => kv.lookup("b", options),
  stop: (_, kv, options) => kv.stop("b", options),
  exit: (_, kv, options) => kv.exit("b", "why", options),
  monitor: (_, kv, options) => kv.monitor("b", options),
  buckets: (_, kv, options) => kv.buckets(options),
  bucket: (_, kv, options) => kv.bucket("b", options),
  "a session's put": (b, _, options) => b.session().bucket.put("a", 1, options),
  "a session's list": (b, _, options) => b.session().bucket.list(options),
};

describe.each(Object.keys(METHODS))("%s", (name) => {
  const unknown: readonly Anything[] = [
    { expirationTtl: 60 },
    { method: "DELETE" },
    { safe: true },
    { __proto__: null, toString: 1 },
  ];
  it.each([...unknown, null, 5, "text", [], new Map([["ttl", 60]]), () => 1])(
    "does not take %j",
    async (options) => {
      const error = await refusalOf((bucket, kv) => METHODS[name]?.(bucket, kv, options));
      expect(error).toBeInstanceOf(KvError);
      expect(error).toMatchObject({ code: "options_invalid", status: 400, outcomeUnknown: false });
    },
  );
});

describe("an option", () => {
  const wrong: readonly (readonly [string, Anything])[] = [
    ["put", { ttl: "60" }],
    ["put", { ttl: NaN }],
    ["put", { ttl: -Infinity }],
    ["put", { ttl: null }],
    ["put", { expires: "2030-01-01T00:00:00Z" }],
    ["put", { expires: new Date(NaN) }],
    ["put", { type: 5 }],
    ["put", { metadata: new Map() }],
    ["put", { metadata: { deep: [{ at: NaN }] } }],
    ["put", { metadata: () => 1 }],
    ["put", { ifMatch: 5 }],
    ["put", { signal: {} }],
    ["put", { timeoutMs: "5" }],
    ["put", { timeoutMs: NaN }],
    ["increment", { expires: new Date(2_000_000_000_000) }],
    ["increment", { by: 1.5 }],
    ["increment", { by: "1" }],
    ["increment", { by: 2 ** 53 }],
    ["increment", { initial: NaN }],
    ["increment", { idempotencyKey: 5 }],
    ["list", { prefix: 5 }],
    ["list", { reverse: "true" }],
    ["list", { values: 1 }],
    ["list", { cursor: 5 }],
    ["deleteRange's range", { prefix: /a/ }],
    ["watch", { since: -1 }],
    ["watch", { since: {} }],
    ["watch", { snapshot: "no" }],
    ["create", { restart: true }],
    ["create", { metadata: new Set([1]) }],
    ["import", { onError: 1 }],
    ["bucket", { codec: "json" }],
    ["monitor", { signal: 5 }],
  ];
  it.each(wrong)("of %s can't be %j", async (name, options) => {
    const error = await refusalOf((bucket, kv) => METHODS[name]?.(bucket, kv, options));
    expect(error).toMatchObject({ name: "InvalidRequestError", code: "options_invalid" });
  });

  it("that is undefined is not given", async () => {
    const error = await refusalOf((bucket) => bucket.put("a", NaN, { ttl: undefined, metadata: undefined }));
    expect(error).toMatchObject({ code: "value_invalid" });
  });
});

describe("a client", () => {
  it.each([
    undefined,
    null,
    "http://localhost",
    { url: "http://localhost", tokn: "" },
    { url: "http://localhost", retries: "3" },
  ])("is not made of %j", (options) => {
    const made = (): Kv => new Kv(options as Anything);
    expect(made).toThrow(TypeError);
    expect(made).toThrow(expect.objectContaining({ code: "options_invalid" }) as Error);
  });

  it("is not made with a token that is a number", () => {
    const made = (): Kv => new Kv({ url: "http://localhost", token: 12345 as Anything });
    expect(made).toThrow(expect.objectContaining({ code: "token_invalid" }) as Error);
  });

  it("is not made of a store's options that it does not know", () => {
    const made = (): KeyvDurableKv =>
      new KeyvDurableKv({ url: "http://localhost", bucket: "b", ttl: 60 } as Anything);
    expect(made).toThrow(expect.objectContaining({ code: "options_invalid" }) as Error);
    const { kv } = scripted();
    const beside = (): KeyvDurableKv => new KeyvDurableKv({ kv, bucket: "b", ttl: 60 } as Anything);
    expect(beside).toThrow(expect.objectContaining({ code: "options_invalid" }) as Error);
  });
});

describe("a name that is no text", () => {
  const names: readonly Anything[] = [5, null, undefined, {}, ["a"], Symbol("a"), 5n];
  const keys: Record<string, (bucket: Bucket, key: Anything) => Anything> = {
    get: (b, key) => b.get(key),
    has: (b, key) => b.has(key),
    put: (b, key) => b.put(key, 1),
    delete: (b, key) => b.delete(key),
    increment: (b, key) => b.increment(key),
    update: (b, key) => b.update(key, () => 1),
    batch: (b, key) => b.batch([{ op: "get", key }]),
    "a comparison": (b, key) => b.transaction({ if: [{ key, exists: true }] }),
    "a session's get": (b, key) => b.session().bucket.get(key),
  };
  it.each(Object.keys(keys))("is no key of %s", async (name) => {
    for (const key of names) {
      expect(await refusalOf((bucket) => keys[name]?.(bucket, key))).toMatchObject({ code: "key_invalid" });
    }
  });

  it("is no bucket's", async () => {
    for (const name of names) {
      for (const call of [
        (_, kv) => kv.bucket(name),
        (_, kv) => kv.create(name),
        (_, kv) => kv.lookup(name),
        (_, kv) => kv.monitor(name),
      ] as Call[]) {
        expect(await refusalOf(call)).toMatchObject({ code: "bucket_name_invalid" });
      }
    }
  });

  it("is no reason", async () => {
    expect(await refusalOf((_, kv) => kv.exit("b", 5 as Anything))).toMatchObject({ code: "reason_invalid" });
  });
});

describe("an operation", () => {
  const wrong: readonly Anything[] = [
    null,
    "get",
    { key: "a" },
    { op: "constructor", key: "a" },
    { op: "put", key: "a", value: 1, expirationTtl: 60 },
    { op: "get", key: "a", ttl: 60 },
    { op: "increment", key: "a", by: "1" },
    { op: "increment", key: "a", expires: new Date() },
    { op: "put", key: "a", value: 1, metadata: new Map() },
  ];
  it.each(wrong)("can't be %j", async (operation) => {
    for (const call of [
      (b: Bucket) => b.batch([operation]),
      (b: Bucket) => b.transaction({ then: [operation] }),
      (b: Bucket) => b.transaction({ else: [operation] }),
      (b: Bucket) => b.session().bucket.batch([operation]),
    ]) {
      expect(await refusalOf(call)).toMatchObject({ code: "operation_invalid", outcomeUnknown: false });
    }
  });

  it.each([
    { thn: [] },
    { if: {} },
    { if: [null] },
    { if: [{ key: "a", equals: 1 }] },
    { then: "all" },
    null,
  ])("is in no transaction that is %j", async (transaction) => {
    const call = (bucket: Bucket): Anything => bucket.transaction(transaction as Anything);
    expect(await refusalOf(call)).toMatchObject({ code: "operation_invalid" });
  });

  it("is in a list", async () => {
    for (const operations of [undefined, null, {}, "get", new Set()] as Anything[]) {
      expect(await refusalOf((bucket) => bucket.batch(operations))).toMatchObject({
        code: "operation_invalid",
      });
    }
  });
});

describe("a value that is no JSON", () => {
  const circle: unknown[] = [];
  circle.push({ circle });
  const values: Record<string, unknown> = {
    "a Map": new Map([["a", 1]]),
    "a Set": new Set([1]),
    bytes: new Uint8Array([1]),
    "a buffer": new ArrayBuffer(1),
    NaN: NaN,
    Infinity: -Infinity,
    "a function": () => 1,
    "a symbol": Symbol("a"),
    undefined: undefined,
    "an error": new Error("lost"),
    "a regular expression": /a/,
    "a promise": Promise.resolve(1),
    "a number in an object": Object(1),
    "a Date that is none": new Date(NaN),
    "an array with a hole": Array(1),
    "a circle": circle,
    "of a class": new (class Point {
      readonly x = 1;
    })(),
  };
  const deep = (value: unknown): unknown => [{ a: { b: [value] } }];
  it.each(Object.keys(values))("is refused, at any depth, in every call: %s", async (name) => {
    for (const value of [values[name], deep(values[name])] as Anything[]) {
      for (const call of [
        (b) => b.put("a", value),
        (b) => b.batch([{ op: "put", key: "a", value }]),
        (b) => b.transaction({ then: [{ op: "put", key: "a", value }] }),
        (b) => b.session().bucket.put("a", value),
      ] as Call[]) {
        expect(await refusalOf(call)).toMatchObject({ code: "value_invalid", outcomeUnknown: false });
      }
    }
    const compared = (b: Bucket): Anything =>
      b.transaction({ if: [{ key: "a", value: deep(values[name]) }] });
    expect(await refusalOf(compared)).toMatchObject({ code: "value_invalid" });
  });

  it("says where it is", async () => {
    const error = await refusalOf((bucket) => bucket.put("a", { list: [1, { map: new Map() }] }));
    expect(error).toMatchObject({
      message: expect.stringContaining("list[1].map is not JSON (Map)") as string,
    });
  });

  it("is no import either, and no change", async () => {
    for (const lines of [5, undefined, ["{}"]] as Anything[]) {
      expect(await refusalOf((bucket) => bucket.import(lines))).toMatchObject({ code: "value_invalid" });
    }
    expect(await refusalOf((b) => b.update("a", 5 as Anything))).toMatchObject({ code: "options_invalid" });
  });
});
