/** Transactions over the entries, against a plain model. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Comparison, Operation, Relation, Transaction } from "../../src/model/operation.ts";
import { call } from "../../src/otp/call.ts";
import { Executor } from "../../src/store/executor.ts";
import { transact } from "../../src/store/transaction.ts";
import { bytes, startBucket } from "../support/buckets.ts";
import { emptyTables, withEntries } from "../support/entries.ts";

const key = fc.constantFrom("a", "b", "c");
const relation = fc.constantFrom<Relation>("=", "!=", "<", "<=", ">", ">=");
const number = fc.integer({ min: -2, max: 3 });
const comparison: fc.Arbitrary<Comparison> = fc.oneof(
  fc.record({ key, is: relation, exists: fc.boolean() }),
  fc.record({ key, is: relation, revision: fc.nat(6) }),
  fc.record({ key, is: relation, value: fc.oneof(number.map(String), fc.constant("text")) }),
  fc.record({ key, is: relation, integer: number.map(BigInt) }),
);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ op: fc.constant("get" as const), key }),
  fc.record({
    op: fc.constant("put" as const),
    key,
    value: fc.oneof(number.map(String), fc.constant("text")),
    properties: fc.constant({}),
  }),
  fc.record({ op: fc.constantFrom("delete" as const, "getAndDelete" as const), key }),
  fc.record({
    op: fc.constant("increment" as const),
    key,
    increment: fc.record({ by: number.map(BigInt) }),
  }),
);
const operations = fc.array(operation, { maxLength: 4 });
const transaction: fc.Arbitrary<Transaction> = fc.record({
  if: fc.array(comparison, { maxLength: 3 }),
  then: operations,
  else: operations,
});

type Model = Map<string, { readonly value: string; readonly revision: number }>;

const relates: Record<Relation, (one: number | bigint | string, other: number | bigint | string) => boolean> =
  {
    "=": (one, other) => one === other,
    "!=": (one, other) => one !== other,
    "<": (one, other) => one < other,
    "<=": (one, other) => one <= other,
    ">": (one, other) => one > other,
    ">=": (one, other) => one >= other,
  };

/** The specification, told again in the plainest way: undefined where the transaction is turned down. */
function told(model: Model, revision: number, { if: comparisons, then, else: otherwise }: Transaction) {
  const succeeded = comparisons.every((candidate) => {
    const found = model.get(candidate.key);
    if ("exists" in candidate)
      return relates[candidate.is](Number(found !== undefined), Number(candidate.exists));
    if ("revision" in candidate) return relates[candidate.is](found?.revision ?? 0, candidate.revision);
    if (found === undefined) return candidate.is === "!=";
    if ("value" in candidate) return relates[candidate.is](found.value, candidate.value as string);
    return found.value === "text"
      ? candidate.is === "!="
      : relates[candidate.is](BigInt(found.value), candidate.integer);
  });
  const after: Model = new Map(model);
  const results: unknown[] = [];
  let latest = revision;
  for (const step of succeeded ? then : otherwise) {
    const found = after.get(step.key);
    switch (step.op) {
      case "get":
        results.push({ entry: found });
        break;
      case "put":
        results.push({ created: found === undefined, revision: (latest += 1) });
        after.set(step.key, { value: step.value as string, revision: latest });
        break;
      case "getAndDelete":
        results.push({ entry: found });
        if (found !== undefined) latest += 1;
        after.delete(step.key);
        break;
      case "delete":
        results.push({ deleted: found !== undefined });
        if (found !== undefined) latest += 1;
        after.delete(step.key);
        break;
      case "increment": {
        if (found?.value === "text") return undefined;
        const sum = BigInt(found?.value ?? 0) + step.increment.by;
        results.push({ value: sum, created: found === undefined, revision: (latest += 1) });
        after.set(step.key, { value: String(sum), revision: latest });
      }
    }
  }
  return { after, latest, result: { succeeded, outcomes: results } };
}

describe("a transaction", () => {
  it("compares, then does one list of operations or the other, all or nothing", async () => {
    await withEntries("transaction model", (tables) => {
      fc.assert(
        fc.property(fc.array(transaction, { maxLength: 10 }), (transactions) => {
          emptyTables(tables);
          const { entries } = tables;
          let model: Model = new Map();
          let revision = 0;
          for (const next of transactions) {
            const expected = told(model, revision, next);
            const run = () => entries.write(() => transact(entries, new Executor(entries, "cafe"), next));
            if (expected === undefined)
              expect(run).toThrow(expect.objectContaining({ code: "not_an_integer" }) as Error);
            else {
              expect(run()).toMatchObject(expected.result);
              model = expected.after;
              revision = expected.latest;
            }
            expect(entries.log.revision).toBe(revision);
            const kept = entries.list({ values: true, limit: 10 }).entries;
            expect(new Map(kept.map((entry) => [entry.key, entry.value]))).toEqual(
              new Map([...model].map(([name, { value }]) => [name, value])),
            );
          }
        }),
        { numRuns: 150 },
      );
    });
  });

  it("says which operation was turned down", async () => {
    const bucket = await startBucket("transaction refused");
    await call(() => bucket.put("a", "text"));
    const refused = call(() =>
      bucket.transact({
        if: [],
        then: [
          { op: "put", key: "b", value: "1", properties: {} },
          { op: "increment", key: "a", increment: { by: 1n } },
        ],
        else: [],
      }),
    );
    await expect(refused).rejects.toMatchObject({
      code: "not_an_integer",
      message: expect.stringContaining("then[1]") as string,
    });
    expect(await call(() => bucket.get("b", {}))).toEqual({ outcome: "absent" });
  });

  it("compares bytes as bytes, and a time that is over as nothing", async () => {
    await withEntries("transaction bytes", ({ entries, time }) => {
      const holds = (candidate: Comparison): boolean =>
        entries.write(() =>
          transact(entries, new Executor(entries, "cafe"), { if: [candidate], then: [], else: [] }),
        ).succeeded;
      entries.write(() => entries.put("a", "\uffff", { lifetime: { ttl: 1 } }));
      expect(holds({ key: "a", is: "<", value: "😀" })).toBe(true);
      expect(holds({ key: "a", is: "=", value: bytes(0xef, 0xbf, 0xbf) })).toBe(true);
      time.now += 1_000;
      expect(holds({ key: "a", is: "=", exists: false })).toBe(true);
      expect(holds({ key: "a", is: "=", revision: 0 })).toBe(true);
    });
  });
});
