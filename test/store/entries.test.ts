/** The table of entries: put, remove, increment, list, expire. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Properties } from "../../src/model/entry.ts";
import { bytesOf, textOf, type Value } from "../../src/model/value.ts";
import { emptyTables, inByteOrder, withEntries } from "../support/entries.ts";
import { anyText } from "../support/any-text.ts";

const KEYS = ["a", "b", "ab", "abc", "é", "日本", "\uffff", "😀", "a b", "z".repeat(1_024)];
const key = fc.constantFrom(...KEYS);
const value = fc.oneof(
  anyText(),
  fc.uint8Array({ maxLength: 50 }).map((bytes): Value => bytes.slice().buffer),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
);
const properties: fc.Arbitrary<Properties> = fc.record(
  {
    type: fc.constantFrom("text/x", null),
    metadata: fc.constantFrom('{"a":1}', null),
    lifetime: fc.oneof(fc.record({ ttl: fc.integer({ min: 1, max: 20 }) })),
  },
  { requiredKeys: [] },
);
const step = fc.oneof(
  fc.record({ kind: fc.constant("put" as const), key, value, properties }),
  fc.record({ kind: fc.constant("remove" as const), key }),
  fc.record({ kind: fc.constant("increment" as const), key, by: fc.bigInt({ min: -5n, max: 5n }) }),
  fc.record({ kind: fc.constant("wait" as const), seconds: fc.integer({ min: 0, max: 15 }) }),
  fc.record({ kind: fc.constant("expire" as const) }),
  fc.record({ kind: fc.constant("list" as const) }),
  fc.record({ kind: fc.constant("forget what memory holds" as const) }),
);
const query = fc.record(
  {
    prefix: fc.constantFrom("", "a", "ab", "é", "\uffff", "😀"),
    start: key,
    end: key,
    after: key,
    reverse: fc.boolean(),
  },
  { requiredKeys: [] },
);

interface Kept {
  readonly value: Value;
  readonly type: string | null;
  readonly metadata: string | null;
  readonly expires: number | null;
}

describe("entries", () => {
  it("agree with a plain map after any changes; so do the totals, any list, and the log", async () => {
    await withEntries("entries model", (tables) => {
      const { entries, published, time } = tables;
      fc.assert(
        fc.property(
          fc.array(fc.array(step, { maxLength: 6 }), { maxLength: 12 }),
          fc.array(query, { maxLength: 4 }),
          (batches, queries) => {
            emptyTables(tables);
            const model = new Map<string, Kept>();
            const lives = (name: string): Kept | undefined => {
              const kept = model.get(name);
              return kept !== undefined && (kept.expires ?? Infinity) > time.now ? kept : undefined;
            };
            for (const batch of batches) {
              // Within a write time stands still.
              let waited = 0;
              entries.write(() => {
                for (const change of batch) {
                  if (change.kind === "put") {
                    const { type = null, metadata = null, lifetime } = change.properties;
                    const expires =
                      lifetime !== undefined && "ttl" in lifetime ? time.now + lifetime.ttl * 1_000 : null;
                    const created = lives(change.key) === undefined;
                    expect(entries.put(change.key, change.value, change.properties).created).toBe(created);
                    model.set(change.key, { value: change.value, type, metadata, expires });
                  } else if (change.kind === "remove") {
                    expect(entries.remove(change.key)).toBe(lives(change.key) !== undefined);
                    model.delete(change.key);
                  } else if (change.kind === "increment") {
                    const before = lives(change.key);
                    const text = before === undefined ? "0" : (textOf(before.value) ?? "");
                    const sum = /^[+-]?\d{1,19}$/.test(text) ? BigInt(text) + change.by : undefined;
                    if (sum === undefined || sum >= 2n ** 63n || sum < -(2n ** 63n)) {
                      expect(() => entries.increment(change.key, { by: change.by })).toThrow();
                    } else {
                      expect(entries.increment(change.key, { by: change.by }).value).toBe(sum);
                      const none = { type: null, metadata: null, expires: null };
                      model.set(change.key, { ...(before ?? none), value: sum.toString() });
                    }
                  } else if (change.kind === "wait") waited += change.seconds * 1_000;
                  else if (change.kind === "expire") entries.expire(100);
                  else if (change.kind === "list") {
                    const there = KEYS.filter((name) => lives(name) !== undefined).toSorted(inByteOrder);
                    expect(entries.names({ limit: 100 })).toEqual(there);
                  }
                }
              });
              time.now += waited;
              if (batch.some(({ kind }) => kind === "forget what memory holds")) entries.reset();
            }
            // What is on disk is what memory holds.
            const anew = tables.again();
            for (const name of KEYS) {
              expect(anew.get(name)).toEqual(entries.get(name));
              const {
                revision: _,
                size: __,
                large: ___,
                at: ____,
                ...found
              } = entries.get(name) ?? {
                revision: 0,
                size: 0,
                large: null,
                at: 0,
              };
              expect(found).toEqual(lives(name) ?? {});
            }
            const living = KEYS.filter((name) => lives(name) !== undefined).toSorted(inByteOrder);
            for (const { prefix = "", start = "", end, after, reverse = false } of queries) {
              const inRange = living.filter(
                (name) =>
                  name.startsWith(prefix) &&
                  inByteOrder(name, start) >= 0 &&
                  (end === undefined || inByteOrder(name, end) < 0),
              );
              const expected = (reverse ? inRange.toReversed() : inRange).filter(
                (name) => after === undefined || inByteOrder(name, after) * (reverse ? -1 : 1) > 0,
              );
              const page = entries.list({ prefix, start, end, after, reverse, values: true, limit: 3 });
              expect(page.entries.map((entry) => entry.key)).toEqual(expected.slice(0, 3));
              expect(page.more).toBe(expected.length > 3);
              for (const entry of page.entries) expect(entry.value).toEqual(lives(entry.key)?.value);
            }
            // What has not been removed yet counts until it is.
            entries.write(() => entries.expire(100));
            const bytes = living.reduce(
              (sum, name) => sum + bytesOf(name).length + bytesOf(lives(name)?.value ?? "").length,
              0,
            );
            expect(entries.log.totals()).toEqual({
              entries: living.length,
              bytes,
              revision: published.length,
            });
            expect(entries.log.readTotals()).toEqual(entries.log.totals());
            // The log, told in order, makes the same bucket: nothing is left out, and nothing comes twice.
            expect(published.map(({ revision }) => revision)).toEqual(published.map((_, index) => index + 1));
            expect(entries.log.after(0)).toEqual(published);
            const replayed = new Map<string, unknown>();
            for (const { kind, key: name, value: put, type, metadata, expires } of published) {
              if (kind === "put") replayed.set(name, { value: put, type, metadata, expires });
              else replayed.delete(name);
            }
            expect(replayed).toEqual(new Map(living.map((name) => [name, lives(name)])));
          },
        ),
        { numRuns: 150 },
      );
    });
  });

  it("are all undone when one change of a write throws, in memory, on disk and for watchers", async () => {
    await withEntries("entries undone", ({ entries, published }) => {
      entries.write(() => entries.put("kept", "1"));
      expect(() =>
        entries.write(() => {
          entries.put("kept", "2");
          entries.put("lost", "2");
          throw new Error("half way");
        }),
      ).toThrow("half way");
      expect(entries.get("kept")?.value).toBe("1");
      expect(entries.get("lost")).toBeUndefined();
      expect(entries.log.totals()).toEqual({ entries: 1, bytes: 5, revision: 1 });
      expect(published.map(({ key: name }) => name)).toEqual(["kept"]);
    });
  });

  it("count within 64 bits", async () => {
    await withEntries("entries count", ({ entries }) => {
      const max = (2n ** 63n - 1n).toString();
      entries.write(() => entries.put("n", max, { type: "text/x" }));
      expect(() => entries.write(() => entries.increment("n", { by: 1n }))).toThrow(
        expect.objectContaining({ code: "increment_overflow" }) as Error,
      );
      expect(entries.write(() => entries.increment("n", { by: -1n })).value).toBe(2n ** 63n - 2n);
      expect(entries.get("n")?.type).toBe("text/x");
    });
  });

  it("count from where they are told to, and live as long as the first increment says", async () => {
    await withEntries("entries initial", ({ entries, time }) => {
      const hit = () =>
        entries.write(() => entries.increment("n", { by: 1n, initial: 100n, lifetime: { ttl: 60 } }));
      expect(hit()).toMatchObject({ value: 101n, created: true });
      time.now += 59_999;
      expect(hit()).toMatchObject({ value: 102n, created: false });
      time.now += 1;
      expect(hit()).toMatchObject({ value: 101n, created: true });
    });
  });

  it("write two rows for a change, and a third for a time to live", async () => {
    const rows = (storage: DurableObjectStorage, change: () => void): number => {
      const before = [...storage.sql.exec("SELECT total_changes() AS n")][0]?.["n"] as number;
      change();
      return ([...storage.sql.exec("SELECT total_changes() AS n")][0]?.["n"] as number) - before;
    };
    await withEntries(
      "entries rows",
      ({ entries, storage }) => {
        for (let n = 0; n < 20; n += 1) {
          expect(rows(storage, () => void entries.write(() => entries.put("a", String(n))))).toBe(2);
        }
      },
      { limit: 5 },
    );
  });
});

describe("a time to live", () => {
  it("lies in the future, within ten years", async () => {
    await withEntries("ttl limits", ({ entries, time }) => {
      for (const lifetime of [
        { ttl: 0 },
        { ttl: -1 },
        { ttl: Number.NaN },
        { ttl: 315_360_001 },
        { expires: time.now },
        { expires: 0 },
        { expires: Infinity },
      ]) {
        expect(() => entries.write(() => entries.put("a", "1", { lifetime }))).toThrow(
          expect.objectContaining({ code: "expires_invalid" }) as Error,
        );
      }
      expect(entries.get("a")).toBeUndefined();
      expect(entries.write(() => entries.put("a", "1", { lifetime: { ttl: 315_360_000 } })).created).toBe(
        true,
      );
    });
  });

  it("is over at its very millisecond, and a write to the key finds nothing there", async () => {
    await withEntries("ttl over", ({ entries, time, published }) => {
      entries.write(() => entries.put("a", "1", { lifetime: { expires: time.now + 10 } }));
      time.now += 9;
      expect(entries.info("a")).toBeDefined();
      time.now += 1;
      expect(entries.info("a")).toBeUndefined();
      expect(entries.list({ limit: 1 }).entries).toEqual([]);
      expect(entries.write(() => entries.put("a", "2")).created).toBe(true);
      expect(published.map(({ kind }) => kind)).toEqual(["put", "expired", "put"]);
      expect(entries.get("a")).toMatchObject({ value: "2", expires: null });
    });
  });

  it("ends many at once in parts", async () => {
    await withEntries("ttl parts", ({ entries, time }) => {
      entries.write(() => {
        for (let n = 0; n < 25; n += 1)
          entries.put(`k${n}`, "1", { lifetime: { expires: time.now + 1 + n } });
      });
      expect(entries.nextExpiry()).toBe(time.now + 1);
      time.now += 100;
      entries.write(() => entries.expire(10));
      expect(entries.log.totals().entries).toBe(15);
      expect(entries.nextExpiry()).toBe(time.now - 100 + 11);
      entries.write(() => entries.expire(100));
      expect(entries.nextExpiry()).toBeUndefined();
    });
  });
});

describe("a page", () => {
  it("has each key's own value, also where entries expire while it is read", async () => {
    await withEntries("page clock", ({ entries, time, again }) => {
      entries.write(() => {
        for (let n = 0; n < 20; n += 1) {
          entries.put(`k${n}`, `k${n}`, { lifetime: { expires: time.now + 1 + n } });
        }
      });
      // A clock that goes on with each look at it.
      const ticking = again({}, () => (time.now += 3));
      const page = ticking.list({ values: true, limit: 100 });
      expect(page.entries.length).toBeGreaterThan(0);
      expect(page.entries.filter(({ key: name, value: kept }) => name !== kept)).toEqual([]);
    });
  });

  it("has at most four megabytes, and one entry that goes beyond", async () => {
    await withEntries("page bytes", ({ entries }) => {
      const megabyte = "x".repeat(1_048_576);
      entries.write(() => {
        for (let n = 0; n < 6; n += 1) entries.put(`k${n}`, megabyte);
      });
      const page = entries.list({ values: true, limit: 1_000 });
      expect([page.entries.length, page.more]).toEqual([4, true]);
      expect(entries.list({ limit: 1_000 }).entries).toHaveLength(6);
    });
  });

  it("follows another without leaving out or repeating a key that stays, whatever is written between them", async () => {
    await withEntries("page cursors", (tables) => {
      fc.assert(
        fc.property(
          fc.uniqueArray(
            fc
              .string({ unit: "grapheme", minLength: 1, maxLength: 3 })
              .filter((k) => k.isWellFormed() && !k.includes("\0")),
            { minLength: 1, maxLength: 30 },
          ),
          fc.array(fc.record({ key: fc.nat(29), put: fc.boolean() }), { maxLength: 60 }),
          fc.boolean(),
          fc.integer({ min: 1, max: 4 }),
          (keys, writes, reverse, limit) => {
            emptyTables(tables);
            const { entries } = tables;
            entries.write(() => keys.forEach((name) => entries.put(name, "1")));
            const disturbed = new Set<string>();
            const seen: string[] = [];
            let after: string | undefined;
            for (;;) {
              const page = entries.list({ after, reverse, limit });
              seen.push(...page.entries.map((entry) => entry.key));
              after = seen.at(-1);
              if (!page.more) break;
              const write = writes.pop();
              const name = write && keys[write.key % keys.length];
              if (write === undefined || name === undefined) continue;
              disturbed.add(name);
              entries.write(() => (write.put ? entries.put(name, "2") : entries.remove(name)));
            }
            expect(new Set(seen).size).toBe(seen.length);
            expect(seen).toEqual(seen.toSorted((a, b) => inByteOrder(a, b) * (reverse ? -1 : 1)));
            for (const name of keys) if (!disturbed.has(name)) expect(seen).toContain(name);
          },
        ),
      );
    });
  });
});
