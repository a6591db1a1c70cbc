/** Pages that SQLite writes: the same text as that of rows read one by one. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { listText } from "../../src/bucket/pages.ts";
import type { ListQuery, Properties } from "../../src/model/entry.ts";
import { CHUNK_BYTES, MAX_METADATA_BYTES } from "../../src/model/limits.ts";
import type { Value } from "../../src/model/value.ts";
import { pageText } from "../../src/schema/entry-json.ts";
import type { Entries } from "../../src/store/entries.ts";
import { anyText } from "../support/any-text.ts";
import { emptyTables, withEntries } from "../support/entries.ts";

const key = anyText({ minLength: 1 });
const value = fc.oneof(
  anyText(),
  fc.uint8Array({ maxLength: 20 }).map((bytes): Value => bytes.slice().buffer),
  // About the longest text that SQLite writes, with characters that take one to six characters of JSON.
  fc.constantFrom("a", "é", "日", "😀", '"', "\u0000", "\u0001", "\u0002").map((unit) => unit.repeat(1_024)),
  fc.constantFrom("a".repeat(1_025), "ü".repeat(512), "ü".repeat(513)),
);
const properties: fc.Arbitrary<Properties> = fc.record(
  {
    type: fc.option(anyText()),
    metadata: fc.option(fc.jsonValue().map((json) => JSON.stringify(json, undefined, 1))),
    lifetime: fc.record({ ttl: fc.integer({ min: 1, max: 9 }) }),
  },
  { requiredKeys: [] },
);
const query: fc.Arbitrary<ListQuery> = fc
  .record(
    {
      prefix: anyText({ maxLength: 1 }),
      start: key,
      end: key,
      after: key,
      reverse: fc.boolean(),
      values: fc.boolean(),
    },
    { requiredKeys: [] },
  )
  .chain((range) => fc.integer({ min: 1, max: 12 }).map((limit) => ({ ...range, limit })));

/** The page from its rows. */
function fromRows(entries: Entries, asked: ListQuery): string {
  const { entries: listed, more } = entries.list(asked);
  return pageText("cafe", listed, more);
}

describe("a page that SQLite writes", () => {
  it("is the page that its rows make, for all keys, values and properties", async () => {
    await withEntries("draft model", (tables) => {
      const { entries, time } = tables;
      fc.assert(
        fc.property(
          fc.array(fc.record({ key, value, properties }), { maxLength: 12 }),
          fc.array(query, { minLength: 1, maxLength: 4 }),
          fc.integer({ min: 0, max: 5_000 }),
          (puts, queries, waited) => {
            emptyTables(tables);
            for (const put of puts) {
              entries.write(() => entries.put(put.key, put.value, put.properties));
              time.now += 1;
            }
            time.now += waited;
            for (const asked of queries) {
              expect(entries.draft(asked, "cafe")).toBeDefined();
              expect(listText(entries, "cafe", asked)).toBe(fromRows(entries, asked));
            }
          },
        ),
        { numRuns: 200 },
      );
    });
  });

  it("has as many entries as it should, however many statements write it, in either direction", async () => {
    await withEntries("draft counts", ({ entries, time }) => {
      entries.write(() => {
        for (let n = 0; n < 305; n += 1) entries.put(`k${n}`, n % 3 === 0 ? new ArrayBuffer(3) : `v${n}`);
        entries.put("gone", "1", { lifetime: { ttl: 1 } });
      });
      time.now += 1_000;
      for (const limit of [99, 100, 101, 200, 304, 305, 306, 1_000]) {
        for (const reverse of [false, true]) {
          for (const values of [false, true]) {
            const asked = { limit, reverse, values };
            const text = listText(entries, "cafe", asked);
            expect(text).toBe(fromRows(entries, asked));
            const page = JSON.parse(text) as { readonly keys: unknown[]; readonly cursor?: string };
            expect(page.keys).toHaveLength(Math.min(limit, 305));
            expect(page.cursor !== undefined).toBe(limit < 305);
          }
        }
      }
    });
  });

  it("shows an entry without a time of writing, and one whose value is in chunks", async () => {
    await withEntries("draft of others", ({ entries, time, storage }) => {
      entries.write(() => {
        entries.large.append("u", 0, new ArrayBuffer(CHUNK_BYTES), time.now);
        entries.large.append("u", 1, new ArrayBuffer(1), time.now);
      });
      entries.write(() => {
        entries.put("large", { large: "u", size: CHUNK_BYTES + 1 });
        entries.put("old", "1");
      });
      storage.sql.exec("UPDATE entries SET at = 0 WHERE key = 'old'");
      for (const values of [false, true]) {
        expect(entries.draft({ limit: 9, values }, "cafe")).toBeDefined();
        expect(listText(entries, "cafe", { limit: 9, values })).toBe(fromRows(entries, { limit: 9, values }));
      }
    });
  });

  it("is made from its rows where it is large", async () => {
    await withEntries("draft large", ({ entries }) => {
      const metadata = JSON.stringify("m".repeat(MAX_METADATA_BYTES - 2));
      entries.write(() => {
        for (let n = 0; n < 600; n += 1)
          entries.put(`${n}${"\u0007".repeat(1_000)}`, "\u0007".repeat(1_000), { metadata });
      });
      // The worst hundred rows still fit one text of SQLite's.
      const small = { limit: 100, values: true };
      expect(entries.draft(small, "cafe")).toBeDefined();
      expect(listText(entries, "cafe", small)).toBe(fromRows(entries, small));
      for (const values of [false, true]) {
        const asked = { limit: 600, values };
        expect(entries.draft(asked, "cafe")).toBeUndefined();
        expect(listText(entries, "cafe", asked)).toBe(fromRows(entries, asked));
      }
    });
  });
});
