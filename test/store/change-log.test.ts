/** The change log: bounded, and read from any revision. */

import { describe, expect, it } from "vitest";
import { Entries } from "../../src/store/entries.ts";
import { withEntries } from "../support/entries.ts";

const revisions = (changes: readonly { readonly revision: number }[]): number[] =>
  changes.map(({ revision }) => revision);

describe("the change log", () => {
  it("keeps the latest changes, as many as it is told to", async () => {
    await withEntries(
      "log bounded",
      ({ entries, storage, again }) => {
        for (let n = 1; n <= 25; n += 1) entries.write(() => entries.put(`k${n}`, String(n)));
        expect(revisions(entries.log.after(0))).toEqual([16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
        expect([14, 15, 25, 26].map((since) => entries.log.covers(since))).toEqual([
          false,
          true,
          true,
          false,
        ]);
        expect(storage.sql.exec("SELECT count(*) AS n FROM log").one()).toEqual({ n: 10 });
        // A smaller limit takes hold with the next change, a larger one as the log grows.
        const smaller = again({ limit: 3 });
        smaller.write(() => smaller.put("a", "1"));
        expect(revisions(smaller.log.after(0))).toEqual([24, 25, 26]);
        const larger = again({ limit: 5 });
        for (let n = 1; n <= 3; n += 1) larger.write(() => larger.put("a", "1"));
        expect(revisions(larger.log.after(0))).toEqual([25, 26, 27, 28, 29]);
        expect(larger.log.totals()).toEqual(again().log.totals());
      },
      { limit: 10 },
    );
  });

  it("forgets what is too old, and keeps count all the same", async () => {
    await withEntries(
      "log aged",
      ({ entries, time, again }) => {
        for (let n = 1; n <= 3; n += 1) {
          entries.write(() => entries.put(`k${n}`, "1"));
          time.now += 400;
        }
        expect(entries.log.trim(time.now)).toBe(time.now - 800 + 1_000);
        expect(revisions(entries.log.after(0))).toEqual([2, 3]);
        time.now += 1_000;
        expect(entries.log.trim(time.now)).toBeUndefined();
        for (const log of [entries.log, again().log]) {
          expect(log.after(0)).toEqual([]);
          expect([2, 3, 4].map((since) => log.covers(since))).toEqual([false, true, false]);
          expect(log.totals()).toEqual({ entries: 3, bytes: 9, revision: 3 });
        }
        entries.write(() => entries.put("k4", "1"));
        expect(revisions(again().log.after(3))).toEqual([4]);
        expect(again().log.covers(2)).toBe(false);
      },
      { maxAgeMs: 1_000 },
    );
  });

  it("tells of a large value that there is one, and lets the reader ask for it", async () => {
    await withEntries("log large", ({ entries, published }) => {
      entries.write(() => entries.put("a", "x".repeat(65_537)));
      entries.write(() => entries.put("b", "x".repeat(65_536)));
      expect(entries.log.after(0).map(({ value, size }) => [(value as string | null)?.length, size])).toEqual(
        [
          [undefined, 65_537],
          [65_536, 65_536],
        ],
      );
      expect(published[0]?.value).toHaveLength(65_537);
    });
  });

  it("is read from any revision, also within a transaction's record", async () => {
    await withEntries("log within", ({ entries, published, again }) => {
      entries.write(() => {
        for (let n = 1; n <= 5; n += 1) entries.put(`k${n}`, String(n));
      });
      entries.write(() => {
        entries.put("bytes", new Uint8Array([0, 255, 10]).buffer, { type: "a/b", metadata: "[1]" });
        entries.remove("k1");
        entries.put("empty", new ArrayBuffer(0), { lifetime: { ttl: 60 } });
        entries.put("more bytes", new Uint8Array([7, 8]).buffer);
        entries.put("text", "x");
      });
      for (const { log } of [entries, again()]) {
        for (let since = 0; since <= 10; since += 1) expect(log.after(since)).toEqual(published.slice(since));
        expect([0, 4, 10].map((since) => log.covers(since))).toEqual([true, true, true]);
        expect(log.totals()).toMatchObject({ entries: 8, revision: 10 });
      }
    });
  });

  it("of a large transaction has records of bounded size, which are read a megabyte at a time", async () => {
    await withEntries("log split", ({ entries, storage, published, time, again }) => {
      const value = "\u0001".repeat(60_000);
      entries.write(() => {
        for (let n = 1; n <= 20; n += 1) entries.put(`k${n}`, value);
      });
      const sizes = storage.sql
        .exec<{ size: number }>("SELECT octet_length(changes) AS size FROM log")
        .toArray()
        .map(({ size }) => size);
      expect(sizes.length).toBe(7);
      expect(Math.max(...sizes)).toBeLessThan(2_000_000);
      const first = entries.log.after(0);
      expect(first.length).toBeGreaterThan(0);
      expect(first.length).toBeLessThan(20);
      const all = [...first];
      while (all.length < 20) all.push(...entries.log.after(all.length));
      expect(all).toEqual(published);
      expect(again().log.covers(0)).toBe(true);
      // All records of a transaction are of one time.
      expect(again({ maxAgeMs: 1 }).log.trim(time.now + 2)).toBeUndefined();
      expect(again().log.totals()).toEqual({ entries: 20, bytes: 20 * 60_000 + 51, revision: 20 });
    });
  });

  it("keeps a transaction whole, also one with more changes than the log", async () => {
    await withEntries(
      "log small",
      ({ entries, again }) => {
        const put = (...keys: readonly string[]): void =>
          entries.write(() => {
            for (const key of keys) entries.put(key, "1");
          });
        put("a");
        put("a", "b", "c", "d", "e");
        expect(revisions(entries.log.after(0))).toEqual([2, 3, 4, 5, 6]);
        expect([0, 1, 3].map((since) => again().log.covers(since))).toEqual([false, true, true]);
        put("f");
        expect(revisions(entries.log.after(1))).toEqual([2, 3, 4, 5, 6, 7]);
        put("g");
        expect(revisions(again().log.after(0))).toEqual([7, 8]);
        expect([5, 6].map((since) => again().log.covers(since))).toEqual([false, true]);
      },
      { limit: 2 },
    );
  });

  it("writes one row for a transaction, beside those of its entries", async () => {
    await withEntries("log rows", ({ storage }) => {
      let rows = 0;
      const sql = Object.assign(Object.create(storage.sql), {
        exec: (query: string, ...values: SqlStorageValue[]) => {
          const cursor = storage.sql.exec(query, ...values);
          rows += cursor.rowsWritten;
          return cursor;
        },
      }) as SqlStorage;
      const counted = new Entries(
        { sql, transactionSync: (work) => storage.transactionSync(work) },
        { clock: () => 1, log: { limit: 50, maxAgeMs: 1e12 } },
      );
      const rowsOf = (work: () => void): number => {
        rows = 0;
        counted.write(work);
        return rows;
      };
      for (let round = 0; round < 100; round += 1) {
        expect(rowsOf(() => counted.put("a", String(round)))).toBe(2);
      }
      const many = (): void => {
        for (let n = 0; n < 100; n += 1) counted.put(`k${n}`, "1");
      };
      expect(rowsOf(many)).toBeGreaterThanOrEqual(101);
      expect(rowsOf(many)).toBe(101);
    });
  });
});
