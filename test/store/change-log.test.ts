/** The change log: bounded, and read from any revision. */

import { describe, expect, it } from "vitest";
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
});
