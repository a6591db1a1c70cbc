/** Numbers beyond 2^53: what is read is what is kept, wherever the client meets JSON. */

import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { DecodeError, json, Kv, type Bucket, type Change, type Session } from "../../src/client/index.ts";
import { server } from "./support/shared-server.ts";
import { anyText } from "../support/any-text.ts";

const decode = (text: string): unknown => json.decode(text, json.type);
const encode = (value: unknown): string => json.encode(value) as string;

/** What JSON's readers here make of it: whole numbers are numbers as far as those hold them. */
function read(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(read);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, read(member)]));
}

/** Whether `JSON.stringify` writes a number beyond 2^53 in digits alone. */
const isDigits = (value: unknown): boolean =>
  Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?\d+$/.test(String(value));

describe("JSON", () => {
  it("comes back as what was given, whatever numbers are in it", () => {
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.oneof(anyText({ halves: true }), fc.boolean(), fc.constant(null)),
        fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.maxSafeInteger()),
        fc.oneof(fc.bigInt(), fc.bigInt({ min: -(2n ** 54n), max: 2n ** 54n })),
        fc.array(tie("value")),
        fc.dictionary(fc.oneof(fc.string(), fc.constant("__proto__")), tie("value"), {
          noNullPrototype: true,
        }),
      ),
    }));
    const same = fc.property(value, (given) => {
      expect(decode(encode(given))).toEqual(read(given));
    });
    fc.assert(same, { numRuns: 300, seed: inject("seed") });
  });

  it("is read as JSON.parse reads it, but for integers that are long", () => {
    const valid = fc.property(fc.json(), fc.integer({ min: 0, max: 3 }), (text, indent) => {
      // Strings that look like long numbers, and white space, lead the slow way.
      const spaced = JSON.stringify([": 12345678901234567", JSON.parse(text)], undefined, indent);
      expect(decode(spaced)).toEqual(
        JSON.parse(spaced, (_, value: unknown) => (isDigits(value) ? BigInt(String(value)) : value)),
      );
    });
    fc.assert(valid, { numRuns: 200, seed: inject("seed") });
  });

  it.each([
    ["9007199254740991", 9_007_199_254_740_991],
    ["9007199254740993", 9_007_199_254_740_993n],
    ["-9223372036854775808", -(2n ** 63n)],
    [
      '{"a":[1,9007199254740993, -9007199254740993]}',
      { a: [1, 9_007_199_254_740_993n, -9_007_199_254_740_993n] },
    ],
    ['{"__proto__":9007199254740993}', JSON.parse('{"__proto__":0}') as unknown],
    ["1e3", 1_000],
    ["1.5e300", 1.5e300],
    ["9007199254740993.5", 9_007_199_254_740_994],
    ['" 9007199254740993"', " 9007199254740993"],
    ["0e400", 0],
  ])("%s is read as it is", (text, value) => {
    if (text.includes("__proto__")) expect(Object.keys(decode(text) as object)).toEqual(["__proto__"]);
    else expect(decode(text)).toEqual(value);
  });

  it.each(["1e400", "-1e400", "1e-400", `{"a":[1.5e999]}`])("%s can't be read, and that is said", (text) => {
    expect(() => decode(text)).toThrow(RangeError);
  });

  it("writes what a number is, and no bigint for it", () => {
    expect([-0, 2 ** 60, 1e21, -(2 ** 53)].map((number) => decode(encode(number)))).toEqual([
      -0,
      2 ** 60,
      1e21,
      -(2 ** 53),
    ]);
  });
});

type Numbers = Record<string, number | bigint>;
const BIG = 2n ** 53n + 1n;

let bucket: Bucket<Numbers>;
let session: Session<Numbers>;
beforeAll(async () => {
  const kv = new Kv({ url: server.http });
  await kv.create("client-numbers");
  bucket = kv.bucket<Numbers>("client-numbers");
  session = bucket.session();
});
afterAll(() => session.close());

describe.each([
  ["over HTTP", () => bucket, "h"],
  ["on a session", () => session.bucket, "s"],
] as const)("a counter beyond 2^53 %s", (_, open, key) => {
  it("is never rounded: by get, entry, update, batch, transaction, list and watch", async () => {
    const numbers = open();
    await numbers.increment(key, { by: BIG });
    expect(await numbers.get(key)).toBe(BIG);
    expect((await numbers.entry(key))?.value).toBe(BIG);
    expect(await numbers.batch([{ op: "get", key }])).toMatchObject([{ value: BIG }]);
    expect(
      await numbers.transaction({ if: [{ key, value: BIG }], then: [{ op: "get", key }] }),
    ).toMatchObject({
      succeeded: true,
      results: [{ value: BIG }],
    });
    expect(await Array.fromAsync(numbers.list({ prefix: key, values: true }))).toMatchObject([
      { value: BIG },
    ]);
    expect(await numbers.update(key, (value = 0) => BigInt(value) + 1n)).toBe(BIG + 1n);
    expect(await numbers.increment(key)).toMatchObject({ value: BIG + 2n });
    const changes: Change[] = [];
    for await (const change of bucket.watch({ key, snapshot: true })) {
      if (change.event === "end_of_snapshot") break;
      changes.push(change);
    }
    expect(changes).toMatchObject([{ event: "begin" }, { event: "entry", value: BIG + 2n }]);
  });

  it("that can't be read ends the read with a code", async () => {
    const numbers = open();
    const response = await fetch(`${server.http}/v1/buckets/client-numbers/keys/huge-${key}`, {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: "1e400",
    });
    expect(response.status).toBe(201);
    const error: unknown = await numbers.get(`huge-${key}`).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DecodeError);
    expect(error).toMatchObject({ code: "value_undecodable" });
  });
});
