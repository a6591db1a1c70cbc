import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Entries } from "../../src/bucket/entries.ts";
import { textOf, type Value } from "../../src/value.ts";

/** Runs `body` with fresh tables inside an object. */
function withEntries<T>(
  name: string,
  body: (entries: Entries, storage: DurableObjectStorage) => T | Promise<T>,
) {
  return runInDurableObject(env.BUCKET.getByName(name), (_, { storage }) => {
    const entries = new Entries(storage);
    entries.createTables();
    return body(entries, storage);
  });
}

const byteLength = (value: Value): number =>
  typeof value === "string" ? new TextEncoder().encode(value).length : value.byteLength;
const inByteOrder = (one: string, other: string): number => {
  const [a, b] = [new TextEncoder().encode(one), new TextEncoder().encode(other)];
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    if (a[at] !== b[at]) return Number(a[at]) - Number(b[at]);
  }
  return a.length - b.length;
};

const key = fc.constantFrom("a", "b", "ab", "é", "日本", "😀", "a b", "z".repeat(1_024));
const value = fc.oneof(
  fc.string({ unit: "binary" }).filter((text) => text.isWellFormed()),
  fc.uint8Array({ maxLength: 50 }).map((bytes): Value => bytes.slice().buffer),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
);
const change = fc.oneof(
  fc.record({ kind: fc.constant("put" as const), key, value }),
  fc.record({ kind: fc.constant("remove" as const), key }),
  fc.record({ kind: fc.constant("increment" as const), key, by: fc.bigInt({ min: -5n, max: 5n }) }),
  fc.record({ kind: fc.constant("forget what memory holds" as const) }),
);

describe("entries", () => {
  it("agree with a plain map after any changes, and the totals with what is there", async () => {
    await withEntries("entries model", (entries, storage) => {
      fc.assert(
        fc.property(fc.array(fc.array(change, { maxLength: 6 }), { maxLength: 12 }), (batches) => {
          storage.sql.exec("DELETE FROM entries; UPDATE totals SET entries = 0, bytes = 0, revision = 0");
          entries.reset();
          const model = new Map<string, Value>();
          let revision = 0;
          for (const batch of batches) {
            entries.write(() => {
              for (const step of batch) {
                if (step.kind === "put") {
                  expect(entries.put(step.key, step.value, null)).toEqual({
                    revision: (revision += 1),
                    created: !model.has(step.key),
                  });
                  model.set(step.key, step.value);
                } else if (step.kind === "remove") {
                  const there = model.delete(step.key);
                  if (there) revision += 1;
                  expect(entries.remove(step.key)).toBe(there);
                } else if (step.kind === "increment") {
                  const text = model.has(step.key) ? textOf(model.get(step.key) as Value) : "0";
                  const sum =
                    /^[+-]?\d{1,20}$/.test(text ?? "") && (text ?? "").length <= 20
                      ? BigInt(text ?? "") + step.by
                      : undefined;
                  if (sum === undefined || sum >= 2n ** 63n || sum < -(2n ** 63n)) {
                    expect(() => entries.increment(step.key, step.by)).toThrow();
                  } else {
                    expect(entries.increment(step.key, step.by)).toEqual({
                      value: sum,
                      revision: (revision += 1),
                    });
                    model.set(step.key, sum.toString());
                  }
                }
              }
            });
            if (batch.some(({ kind }) => kind === "forget what memory holds")) entries.reset();
          }
          const bytes = [...model].reduce((sum, [k, v]) => sum + byteLength(k) + byteLength(v), 0);
          expect(entries.totals()).toEqual({ entries: model.size, bytes, revision });
          for (const [k, v] of model) expect(entries.get(k)?.value).toEqual(v);
          expect(entries.keys({ prefix: "", after: "", limit: 100 })).toEqual(
            [...model.keys()].toSorted(inByteOrder),
          );
          expect(entries.keys({ prefix: "a", after: "a", limit: 100 })).toEqual(
            [...model.keys()].filter((k) => k.startsWith("a") && k !== "a").toSorted(inByteOrder),
          );
        }),
      );
    });
  });

  it("are all undone when one change of a write throws, in memory and on disk", async () => {
    await withEntries("entries undone", (entries) => {
      entries.write(() => entries.put("kept", "1", null));
      expect(() =>
        entries.write(() => {
          entries.put("kept", "2", null);
          entries.put("lost", "2", null);
          throw new Error("half way");
        }),
      ).toThrow("half way");
      expect(entries.get("kept")?.value).toBe("1");
      expect(entries.get("lost")).toBeUndefined();
      expect(entries.totals()).toEqual({ entries: 1, bytes: 5, revision: 1 });
    });
  });

  it("count within 64 bits", async () => {
    await withEntries("entries count", (entries) => {
      const max = (2n ** 63n - 1n).toString();
      entries.write(() => entries.put("n", max, "text/x"));
      expect(() => entries.write(() => entries.increment("n", 1n))).toThrow(
        expect.objectContaining({ code: "increment_overflow" }) as Error,
      );
      expect(entries.write(() => entries.increment("n", -1n)).value).toBe(2n ** 63n - 2n);
      expect(entries.get("n")?.type).toBe("text/x");
    });
  });
});
