/** The check by hand says of no request what the schema does not say. */

import fc from "fast-check";
import { describe, expect, inject, it } from "vitest";
import * as z from "zod/mini";
import { parseRequest } from "../../src/schema/exact-json.ts";
import { BatchJson } from "../../src/schema/operations.ts";
import { isPlainBatch } from "../../src/schema/plain.ts";

const NAMES = [
  "op",
  "key",
  "value",
  "json",
  "base64",
  "type",
  "metadata",
  "ttl",
  "expires",
  "by",
  "initial",
  "ifMatch",
  "ifNoneMatch",
  "__proto__",
  "toString",
  "other",
];
const OPS = ["get", "put", "delete", "getAndDelete", "increment", "list", "toString"];

const anyMember = fc.oneof(
  fc.string({ maxLength: 4 }),
  fc.constantFrom(...OPS, "*", "cafe-1", "", "1"),
  fc.integer({ min: -2, max: 3 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.string({ maxLength: 3 }), { maxLength: 2 }),
  fc.dictionary(fc.string({ maxLength: 3 }), fc.integer(), { maxKeys: 2 }),
);

/** An object of the form of an operation, with some members left out, changed or added. */
const nearlyAnOperation = fc
  .tuple(
    fc.constantFrom(...OPS.slice(0, 4)),
    fc.string({ maxLength: 3 }),
    fc.array(fc.tuple(fc.constantFrom(...NAMES), anyMember), { maxLength: 3 }),
    fc.constantFrom(...NAMES, undefined),
  )
  .map(([op, key, members, without]) => {
    const all = [["op", op], ["key", key], ...members].filter(([name]) => name !== without);
    return `{${all.map(([name, member]) => `${JSON.stringify(name)}:${JSON.stringify(member)}`).join(",")}}`;
  });

const element = fc.oneof(
  { weight: 6, arbitrary: nearlyAnOperation },
  { weight: 1, arbitrary: anyMember.map((member) => JSON.stringify(member)) },
);
const batchText = fc.oneof(
  { weight: 6, arbitrary: fc.array(element, { maxLength: 3 }).map((all) => `[${all.join(",")}]`) },
  { weight: 1, arbitrary: anyMember.map((member) => JSON.stringify(member)) },
);

describe("the check of plain batches by hand", () => {
  it("accepts nothing that the schema refuses or changes", () => {
    fc.assert(
      fc.property(batchText, (text) => {
        const given = parseRequest(text);
        if (!isPlainBatch(given)) return;
        const found = z.safeParse(BatchJson, given);
        expect(found.error).toBeUndefined();
        expect(found.data).toEqual(given);
      }),
      { numRuns: 20_000, seed: inject("seed") },
    );
  });

  it("accepts what most requests are", () => {
    const plain = [
      { op: "get", key: "milk" },
      { op: "delete", key: "milk", ifMatch: "cafe-1" },
      { op: "getAndDelete", key: "milk" },
      { op: "put", key: "milk", value: "1", type: "text/plain", ifNoneMatch: "*" },
      { op: "put", key: "milk", json: { litres: 1 }, metadata: [1] },
      { op: "put", key: "milk", base64: "AP8=" },
    ];
    expect(isPlainBatch(plain)).toBe(true);
    expect(isPlainBatch([])).toBe(true);
  });

  it("leaves all others to the schema", () => {
    for (const other of [
      undefined,
      null,
      {},
      "text",
      [null],
      [{ op: "get" }],
      [{ op: "get", key: 1 }],
      [{ op: "get", key: "a", value: "1" }],
      [{ op: "put", key: "a", value: 1 }],
      [{ op: "put", key: "a", value: "1", ttl: 5 }],
      [{ op: "increment", key: "a" }],
      [{ op: "nothing", key: "a" }],
      Array.from({ length: 1_001 }, () => ({ op: "get", key: "a" })),
    ]) {
      expect(isPlainBatch(other)).toBe(false);
    }
  });
});
