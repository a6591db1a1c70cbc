/** Numbers beyond 2^53: what is read is what is kept, wherever the client meets JSON. */

import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { DecodeError, json, Kv, type Bucket, type Change, type Session } from "../../src/client/index.ts";
import { server } from "../e2e/support/shared-server.ts";
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

/** How often something of JSON's is called meanwhile. */
function calls(of: "parse" | "stringify", work: () => void): number {
  const spy = vi.spyOn(JSON, of);
  try {
    work();
    return spy.mock.calls.length;
  } finally {
    spy.mockRestore();
  }
}

/** The value in so many arrays. */
function nested(levels: number, inmost: unknown): unknown {
  let value = inmost;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

describe("JSON that is large", () => {
  it("comes back as it was: 24 MiB of text beside a bigint", () => {
    const text = ` 1234567890123456${"a".repeat(24 * 1_048_576)}\\"`;
    const value = decode(encode({ text, big: 2n ** 64n })) as { readonly text: string; readonly big: bigint };
    expect(value.text === text).toBe(true);
    expect(value.big).toBe(2n ** 64n);
  });

  it("may be nested 20,000 levels deep, with a bigint or without", () => {
    for (const inmost of [2n ** 64n, 1]) {
      let value = decode(encode(nested(20_000, inmost)));
      while (Array.isArray(value)) [value] = value as unknown[];
      expect(value).toBe(inmost);
    }
  });

  it("says where it is no JSON, however deep that is", () => {
    expect(() => encode(nested(20_000, NaN))).toThrow(/^The value(\[0\])+.* is NaN/);
  });

  it("is left to the platform's JSON where a double holds all of its numbers", () => {
    const plain = Array.from({ length: 100 }, (_, n) => ({ n, at: new Date(n), name: `n${n}` }));
    expect(calls("stringify", () => encode(plain))).toBe(1);
    const text = JSON.stringify(["order 1234567890123456, 1e5", ...plain]);
    expect(calls("parse", () => decode(text))).toBe(1);
    expect(calls("parse", () => decode(text.replace("[", "[9007199254740993,")))).toBe(2);
  });

  it("is not mistaken for a bigint where it is text with the same characters", () => {
    const value = [
      "\0",
      "\0\0",
      "\\u0000",
      "\u00009007199254740993",
      { "\0": 2n ** 53n + 1n, "__proto__ ": "\0\0\0" },
    ];
    expect(decode(encode(value))).toEqual(value);
  });

  it("is the last of members with one name", () => {
    expect(decode('{"a":9007199254740993,"a":1}')).toEqual({ a: 1 });
    expect(decode('{"a":[9007199254740993],"a":[2,9007199254740995]}')).toEqual({
      a: [2, 9_007_199_254_740_995n],
    });
  });
});

describe("toJSON", () => {
  it("is told its member's name, as JSON.stringify tells it", () => {
    const named = { toJSON: (name: string) => `<${name}>` };
    const value = { a: named, b: [named, named], c: { d: named } };
    expect(encode(value)).toBe(JSON.stringify(value));
    expect(encode(named)).toBe('"<>"');
  });

  it("is called once, and what it gives is looked at", () => {
    let called = 0;
    expect(encode([{ toJSON: () => (called += 1) }])).toBe("[1]");
    expect(encode({ toJSON: () => new Date(0) })).toBe('"1970-01-01T00:00:00.000Z"');
    expect(() => encode({ toJSON: () => [NaN] })).toThrow("is NaN");
  });

  it("that leads to itself, or to ever more of its kind, is refused", () => {
    const more = (): object => ({ toJSON: more });
    const inside = { toJSON: () => ({ inside }) };
    const itself = { toJSON: (): object => itself };
    for (const value of [more(), inside, itself]) expect(() => encode(value)).toThrow(TypeError);
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

  it("is kept in metadata, too, as far as a double holds it", async () => {
    const numbers = open();
    const metadata = { all: [2n ** 53n, -(2n ** 60n), 2n ** 64n + 2n ** 12n, 10n ** 22n], at: 2 ** 60 };
    await numbers.put(`metadata-${key}`, 1, { metadata });
    expect((await numbers.entry(`metadata-${key}`))?.metadata).toEqual(metadata);
    await numbers.batch([{ op: "put", key: `metadata-${key}`, value: 2, metadata }]);
    const listed = await Array.fromAsync(numbers.list({ prefix: `metadata-${key}` }));
    expect(listed).toMatchObject([{ metadata }]);
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
