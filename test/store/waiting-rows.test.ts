/** Rows that wait for the end of their transaction: what is written, and that nobody reads past them. */

import { describe, expect, it } from "vitest";
import { WaitingRows } from "../../src/store/waiting-rows.ts";
import type { Entry } from "../../src/model/entry.ts";
import { withEntries } from "../support/entries.ts";

const rowOf = (value: string): Entry & { expires: null; metadata: null; large: null } => ({
  value,
  type: null,
  revision: 1,
  size: value.length,
  expires: null,
  at: 0,
  metadata: null,
  large: null,
});

/** The statements that were run, as the number of their rows. */
function recorded(): { readonly rows: WaitingRows; readonly statements: number[] } {
  const statements: number[] = [];
  const exec = (text: string, ...bindings: unknown[]): void => {
    expect(bindings.length).toBe(text.split("?").length - 1);
    statements.push(bindings.length / 5);
  };
  return { rows: new WaitingRows({ exec } as unknown as SqlStorage), statements };
}

describe("rows that wait", () => {
  it("are written once for each key, in few statements", () => {
    const { rows, statements } = recorded();
    for (let put = 0; put < 300; put += 1) rows.put(`k${put % 23}`, rowOf(String(put)));
    rows.drop("k0");
    expect(statements).toEqual([]);
    rows.flush();
    expect(statements).toEqual([16, 4, 1, 1]);
    rows.flush();
    expect(statements).toHaveLength(4);
  });

  it("are no more than a megabyte, and 256", () => {
    const many = recorded();
    for (let put = 0; put < 600; put += 1) many.rows.put(`k${put}`, rowOf("v"));
    expect(many.statements.reduce((sum, size) => sum + size, 0)).toBe(512);
    const large = recorded();
    for (let put = 0; put < 40; put += 1) large.rows.put(`k${put}`, rowOf("v".repeat(65_536)));
    expect(large.statements.reduce((sum, size) => sum + size, 0)).toBe(34);
  });

  it("have the last value of a key, and none once they are written or forgotten", () => {
    const { rows } = recorded();
    rows.put("a", rowOf("1"));
    rows.put("a", rowOf("2"));
    expect(rows.get("a")?.value).toBe("2");
    rows.flush();
    expect(rows.get("a")).toBeUndefined();
    rows.put("a", rowOf("3"));
    rows.clear();
    rows.flush();
    expect(rows.get("a")).toBeUndefined();
  });
});

describe("a write of many puts", () => {
  it("keeps every change in the log, and the last one of each key in the table", async () => {
    await withEntries("waiting rows", ({ entries, storage, published }) => {
      entries.write(() => {
        for (let put = 0; put < 100; put += 1) entries.put(put % 2 === 0 ? "even" : "odd", String(put));
      });
      expect(published).toHaveLength(100);
      expect(entries.log.after(0)).toEqual(published);
      expect(storage.sql.exec("SELECT key, value, revision FROM entries ORDER BY key").toArray()).toEqual([
        { key: "even", value: "98", revision: 99 },
        { key: "odd", value: "99", revision: 100 },
      ]);
    });
  });

  it("takes the last of a plain put, one with a lifetime, and a delete of the same key, whatever came before", async () => {
    await withEntries("waiting kinds", ({ entries, again }) => {
      const kinds = {
        plain: (key: string) => entries.put(key, "plain"),
        lifetime: (key: string) => entries.put(key, "lifetime", { lifetime: { ttl: 60 } }),
        remove: (key: string) => entries.remove(key),
      };
      for (const [first, one] of Object.entries(kinds)) {
        for (const [last, other] of Object.entries(kinds)) {
          const key = `${first}-${last}`;
          entries.write(() => {
            one(key);
            other(key);
          });
          expect(again().get(key)?.value, key).toBe(last === "remove" ? undefined : last);
          expect(again().nextExpiry() === undefined, key).toBe(
            entries.names({ limit: 100 }).every((name) => !name.endsWith("-lifetime")),
          );
        }
      }
    });
  });

  it("finds a row that waits also when the cache has dropped it", async () => {
    await withEntries("waiting uncached", ({ entries }) => {
      entries.write(() => {
        entries.put("a", "1");
        entries.put("b", "1");
        // More than the cache holds; with metadata they do not wait.
        for (let put = 0; put < 160; put += 1)
          entries.put(`large${put}`, "v".repeat(65_000), { metadata: "{}" });
        expect(entries.info("b")?.size).toBe(1);
        expect(entries.put("a", "2").created).toBe(false);
        expect(entries.get("b")?.value).toBe("1");
      });
      expect(entries.log.totals().entries).toBe(162);
    });
  });

  it("is read by what lists the table in the same transaction", async () => {
    await withEntries("waiting lists", ({ entries }) => {
      entries.write(() => {
        entries.put("b", "1");
        entries.put("a", "2");
        expect(entries.names({ limit: 10 })).toEqual(["a", "b"]);
        entries.put("c", "3");
        expect(entries.list({ values: true, limit: 10 }).entries.map(({ value }) => value)).toEqual([
          "2",
          "1",
          "3",
        ]);
        expect(entries.removeRange({ prefix: "a" }).removed).toBe(1);
        expect(entries.draft({ limit: 10 }, "aaaa")?.text).not.toContain('"key":"a"');
      });
    });
  });
});
