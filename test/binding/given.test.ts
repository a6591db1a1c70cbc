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

describe("what another Worker hands over", () => {
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

  it("says where it is", async () => {
    const { message } = await refusal(() => kv.create("given-new", { metadata: { list: [1, new Map()] } }));
    expect(message).toBe("body_invalid: metadata.list[1] is no JSON (Map): give plain objects and arrays.");
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
    expect(await codeOf(() => kv.create("given-new", { metadata: 5n }))).toBe("body_invalid");
  });

  it("has a code also where the platform itself refuses it", async () => {
    await kv.create("given-platform");
    const target = kv.bucket("given-platform");
    expect(await codeOf(() => target.put("a", new Uint8Array(33 * 1_048_576)))).toBe("value_too_large");
    const shared = new Uint8Array(new SharedArrayBuffer(1));
    expect(await codeOf(() => target.put("a", shared))).toBe("value_invalid");
    expect(await codeOf(() => target.put("a", "1", { metadata: Symbol("a") }))).toBe("value_invalid");
  });
});
