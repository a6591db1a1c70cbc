/** Arguments from another Worker, which has no types that the service could rely on. */

import { describe, expect, it } from "vitest";
import { kvFailure } from "../../src/binding/failure.ts";
import type { KvBinding } from "../../src/binding/types.ts";
import { kv, refusal } from "../support/binding.ts";

/** What a structured clone can carry, and JSON can't. */
const NO_JSON: Record<string, () => unknown> = {
  "a Map": () => new Map([["ttl", 60]]),
  "a Set": () => new Set([1]),
  "a Date": () => new Date(0),
  bytes: () => new Uint8Array([1]),
  "a buffer": () => new ArrayBuffer(1),
  NaN: () => NaN,
  Infinity: () => Infinity,
  "a function": () => () => 1,
  "a regular expression": () => /a/,
  "an error": () => new Error("lost"),
  "a hole": () => Array(1),
  "undefined in a list": () => [undefined],
  "a circle": () => {
    const circle: unknown[] = [];
    circle.push(circle);
    return circle;
  },
};
const deep = (value: unknown): object => ({ a: [{ b: value }] });

type Binding = { [Name in keyof KvBinding]: (...given: unknown[]) => Promise<unknown> };
type Verb = (...given: unknown[]) => Promise<unknown>;
type Call = (given: unknown) => Promise<unknown>;

const service = kv as unknown as Binding;
type Verbs =
  | "put"
  | "delete"
  | "getAndDelete"
  | "increment"
  | "list"
  | "deleteRange"
  | "batch"
  | "transaction"
  | "get"
  | "getWithMetadata";
type Loose = Record<Verbs, Verb>;
const bucket = (): Loose => kv.bucket("given") as never;
const namespace = (): Loose => kv.namespace("given") as never;

/** Where JSON is kept: at any depth it is that or nothing. */
const KEPT: Record<string, Call> = {
  "create's metadata": (metadata) => service.create("given-new", { metadata }),
  "put's metadata": (metadata) => bucket().put("a", "1", { metadata }),
  "batch's json": (json) => bucket().batch([{ op: "put", key: "a", json }]),
  "batch's metadata": (metadata) => bucket().batch([{ op: "put", key: "a", value: "1", metadata }]),
  "transaction's json": (json) => bucket().transaction({ then: [{ op: "put", key: "a", json }] }),
  "a comparison's json": (json) => bucket().transaction({ if: [{ key: "a", json }] }),
  "namespace.put's metadata": (metadata) => namespace().put("a", "1", { metadata }),
};

/** Where options are: an object of them, and of no others. */
const TOLD: Record<string, Call> = {
  create: (options) => service.create("given-new", options),
  buckets: (options) => service.buckets(options),
  put: (options) => bucket().put("a", "1", options),
  delete: (options) => bucket().delete("a", options),
  getAndDelete: (options) => bucket().getAndDelete("a", "text", options),
  increment: (options) => bucket().increment("n", options),
  "increment's second": (options) => bucket().increment("n", {}, options),
  list: (options) => bucket().list(options),
  deleteRange: (options) => bucket().deleteRange(options),
  transaction: (options) => bucket().transaction(options),
  "transaction's second": (options) => bucket().transaction({}, options),
  "namespace.get": (options) => namespace().get("a", options),
  "namespace.getWithMetadata": (options) => namespace().getWithMetadata("a", options),
  "namespace.put": (options) => namespace().put("a", "1", options),
  "namespace.list": (options) => namespace().list(options),
};

const codeOf = async (work: () => Promise<unknown>): Promise<string | undefined> =>
  kvFailure(await refusal(work))?.code;

describe("an argument from another Worker", () => {
  it.each(Object.keys(KEPT))("as %s is JSON at any depth, or is refused", async (name) => {
    await kv.create("given");
    for (const [kind, value] of Object.entries(NO_JSON)) {
      for (const given of [value(), deep(value())]) {
        expect([kind, await codeOf(() => Promise.resolve(KEPT[name]?.(given)))]).toEqual([
          kind,
          "body_invalid",
        ]);
      }
    }
    expect((await kv.bucket("given").list()).keys).toEqual([]);
    expect(await kv.lookup("given-new")).toBeNull();
  });

  it.each(Object.keys(TOLD))("as options of %s is an object of those that there are", async (name) => {
    await kv.create("given");
    for (const given of [
      new Map([["ttl", 60]]),
      new Set(),
      new Date(),
      [],
      { unheard: 1 },
      { limit: NaN, ttl: NaN },
    ]) {
      const code = await codeOf(() => Promise.resolve(TOLD[name]?.(given)));
      expect(["body_invalid", "query_invalid"], name).toContain(code);
    }
    expect((await kv.bucket("given").list()).keys).toEqual([]);
  });

  it("is named in the error, with its path", async () => {
    const { message } = await refusal(() => kv.create("given-new", { metadata: { list: [1, new Map()] } }));
    expect(message).toBe("body_invalid: metadata.list[1] is not JSON (Map): pass plain objects and arrays.");
  });

  it("may have a bigint in a value's JSON, and reads integers beyond 2^53 as such", async () => {
    await kv.create("given-bigints");
    const numbers = kv.bucket("given-bigints");
    const json = { n: 2n ** 53n + 1n, list: [2 ** 60, -0, 1.5] };
    await numbers.batch([{ op: "put", key: "a", json }]);
    expect(await numbers.get("a")).toBe('{"n":9007199254740993,"list":[1.152921504606847e+18,-0,1.5]}');
    expect(await numbers.get("a", "json")).toEqual(json);
    expect((await numbers.getEntry("a", "json"))?.value).toEqual(json);
    expect(await numbers.transaction({ if: [{ key: "a", json }] })).toMatchObject({ succeeded: true });
    const drop = kv.namespace("given-bigints");
    expect(await drop.get("a", "json")).toEqual(json);
    expect((await drop.get(["a"], "json")).get("a")).toEqual(json);
    await numbers.increment("count", { by: "9007199254740993" });
    expect(await drop.get("count", "json")).toBe(9_007_199_254_740_993n);
    await numbers.put("huge", "1e400");
    expect(await codeOf(() => numbers.get("huge", "json"))).toBe("value_invalid");
  });

  it("keeps the numbers of metadata as it keeps a value's, and gives them so wherever it gives metadata", async () => {
    const metadata = { big: 2 ** 60, neg: -0, exact: 2n ** 53n + 1n, list: [-(2 ** 70)] };
    const made = await kv.create("given-metadata", { metadata });
    const numbers = kv.bucket("given-metadata");
    const drop = kv.namespace("given-metadata");
    await numbers.put("bucket", "1", { metadata });
    await drop.put("drop", "1", { metadata });
    await numbers.batch([{ op: "put", key: "batch", value: "1", metadata }]);
    const [read] = await numbers.batch([{ op: "get", key: "batch" }]);
    const told = [
      made.metadata,
      (await kv.lookup("given-metadata"))?.metadata,
      (await kv.buckets({ prefix: "given-metadata" })).buckets[0]?.metadata,
      (await numbers.getEntry("drop"))?.metadata,
      (read as { readonly metadata?: unknown }).metadata,
      (await drop.getWithMetadata("bucket")).metadata,
      (await drop.getWithMetadata(["bucket"])).get("bucket")?.metadata,
      ...(await numbers.list()).keys.map((key) => key.metadata),
      ...(await drop.list()).keys.map((key) => key.metadata),
    ];
    expect(told).toEqual(told.map(() => metadata));
    // Created again with the same, it is the same.
    expect((await kv.create("given-metadata", { metadata })).created).toBe(false);
  });

  it("may have a bigint wherever an integer of 64 bits is given, and nowhere else", async () => {
    await kv.create("given-integers");
    const numbers = kv.bucket("given-integers");
    expect(await numbers.increment("n", { by: 5n, initial: 2n ** 53n })).toMatchObject({
      value: String(2n ** 53n + 5n),
    });
    const count = (await numbers.get("n", "json")) as bigint;
    await numbers.batch([{ op: "increment", key: "n", by: -count }]);
    const compared = await numbers.transaction({ if: [{ key: "n", integer: 0n }] });
    expect(compared).toMatchObject({ succeeded: true });
    for (const refused of [{ by: 2n ** 64n }, { ttl: 5n }, { by: true }]) {
      expect(await codeOf(() => numbers.increment("n", refused as object))).toBe("body_invalid");
    }
    expect(await codeOf(() => numbers.batch([{ op: "get", key: 5n as unknown as string }]))).toBe(
      "body_invalid",
    );
  });

  it("gets a code even if the platform itself refuses it", async () => {
    await kv.create("given-platform");
    const target = kv.bucket("given-platform");
    expect(await codeOf(() => target.put("a", new Uint8Array(33 * 1_048_576)))).toBe("value_too_large");
    const shared = new Uint8Array(new SharedArrayBuffer(1));
    expect(await codeOf(() => target.put("a", shared))).toBe("value_invalid");
    expect(await codeOf(() => target.put("a", "1", { metadata: Symbol("a") }))).toBe("value_invalid");
  });
});
