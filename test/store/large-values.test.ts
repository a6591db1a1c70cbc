/** Large values: uploads, chunks, and what is removed when. */

import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { KEEP_MS } from "../../src/model/large-value.ts";
import { CHUNK_BYTES, MAX_VALUE_BYTES } from "../../src/model/limits.ts";
import { call } from "../../src/otp/call.ts";
import { startBucket } from "../support/buckets.ts";
import { withEntries, type Tables } from "../support/entries.ts";

const chunk = (byte: number, size = CHUNK_BYTES): ArrayBuffer => new Uint8Array(size).fill(byte).buffer;
/** Values of two chunks of which a hundred megabytes hold fewer. */
const MORE_THAN_KEPT = 53;
const rows = ({ storage }: Pick<Tables, "storage">): number =>
  Number(storage.sql.exec("SELECT count(*) AS n FROM chunks").one()["n"]);

function upload({ entries, time }: Tables, large: string, last = 1): { large: string; size: number } {
  entries.write(() => {
    entries.large.append(large, 0, chunk(1), time.now);
    entries.large.append(large, 1, chunk(2, last), time.now);
  });
  return { large, size: CHUNK_BYTES + last };
}

/** A chunk, and the end of a reading unless it is said otherwise. */
const read = ({ entries, time }: Tables, large: string, n: number, lease = { lease: "r", last: true }) =>
  entries.large.chunk(large, n, lease, time.now);

describe("a large value", () => {
  it("belongs to no entry and counts for nothing until all of it was uploaded and put", async () => {
    await withEntries("large put", (tables) => {
      const { entries } = tables;
      const value = upload(tables, "u1");
      expect(entries.get("a")).toBeUndefined();
      expect(() => entries.write(() => entries.put("a", { ...value, size: 7 }))).toThrow(
        expect.objectContaining({ code: "upload_lost" }) as Error,
      );
      entries.write(() => entries.put("a", value, { type: "text/x" }));
      expect(entries.get("a")).toMatchObject({ size: CHUNK_BYTES + 1, large: "u1", type: "text/x" });
      expect(entries.log.totals()).toMatchObject({ bytes: CHUNK_BYTES + 2 });
      expect(new Uint8Array(read(tables, "u1", 1) ?? chunk(0))).toEqual(new Uint8Array([2]));
      // It can't be taken twice.
      expect(() => entries.write(() => entries.put("b", value))).toThrow(
        expect.objectContaining({ code: "upload_lost" }) as Error,
      );
      expect(entries.list({ values: true, limit: 9 }).entries).toMatchObject([
        { key: "a", size: CHUNK_BYTES + 1 },
      ]);
      expect(entries.list({ values: true, limit: 9 }).entries[0]).not.toHaveProperty("value");
    });
  });

  it("comes in whole chunks but for the last, in order, each as often as it is sent", async () => {
    await withEntries("large order", ({ entries, time, storage }) => {
      const append = (n: number, bytes: ArrayBuffer) => () =>
        entries.write(() => entries.large.append("u", n, bytes, time.now));
      append(0, chunk(1))();
      append(0, chunk(1))();
      expect(rows({ storage })).toBe(1);
      for (const wrong of [append(2, chunk(1)), append(1, chunk(1, CHUNK_BYTES + 1))]) {
        expect(wrong).toThrow(expect.objectContaining({ code: "upload_lost" }) as Error);
      }
      append(1, chunk(1, 5))();
      expect(append(2, chunk(1))).toThrow(expect.objectContaining({ code: "upload_lost" }) as Error);
    });
  });

  it("has at most twenty-five megabytes", async () => {
    await withEntries("large limit", ({ entries, time }) => {
      const append = (n: number, size: number) =>
        entries.write(() => entries.large.append("u", n, chunk(1, size), time.now));
      for (let n = 0; n < 25; n += 1) append(n, CHUNK_BYTES);
      expect(() => append(25, 1)).toThrow(expect.objectContaining({ code: "value_too_large" }) as Error);
    });
  });

  it("that was replaced can still be read for a while, and is removed then", async () => {
    await withEntries("large replaced", (tables) => {
      const { entries, time } = tables;
      entries.write(() => entries.put("a", upload(tables, "u1")));
      entries.write(() => entries.put("a", upload(tables, "u2")));
      expect(read(tables, "u1", 1)).toBeDefined();
      time.now += KEEP_MS;
      expect(entries.write(() => entries.large.sweep(time.now))).toBe(false);
      expect(read(tables, "u1", 1)).toBeUndefined();
      expect(read(tables, "u2", 1)).toBeDefined();
      entries.write(() => entries.remove("a"));
      time.now += KEEP_MS;
      entries.write(() => entries.large.sweep(time.now));
      expect(rows(tables)).toBe(0);
    });
  });

  it("that was replaced again and again does not fill the disk", async () => {
    await withEntries("large flood", (tables) => {
      const { entries } = tables;
      for (let n = 0; n < MORE_THAN_KEPT; n += 1) {
        entries.write(() => entries.put("a", upload(tables, `u${n}`, CHUNK_BYTES)));
      }
      // A hundred megabytes for readers, and the value itself.
      expect(rows(tables)).toBe(102);
    });
  });

  it("that was read to its end, or let go, and then replaced does not fill the disk either", async () => {
    await withEntries("large flood of readers", (tables) => {
      const { entries } = tables;
      for (let n = 0; n < MORE_THAN_KEPT; n += 1) {
        entries.write(() => entries.put("a", upload(tables, `u${n}`, CHUNK_BYTES)));
        read(tables, `u${n}`, 0, { lease: `to the end ${n}`, last: false });
        read(tables, `u${n}`, 1, { lease: `to the end ${n}`, last: true });
        read(tables, `u${n}`, 0, { lease: `let go ${n}`, last: false });
        entries.large.releaseLease(`let go ${n}`);
      }
      expect(rows(tables)).toBe(102);
    });
  });

  it("that is being read is kept when another one has read it to its end", async () => {
    await withEntries("large two readers", (tables) => {
      const { entries } = tables;
      entries.write(() => entries.put("a", upload(tables, "read")));
      read(tables, "read", 0, { lease: "slow", last: false });
      read(tables, "read", 0, { lease: "quick", last: false });
      read(tables, "read", 1, { lease: "quick", last: true });
      for (let n = 0; n < MORE_THAN_KEPT; n += 1) {
        entries.write(() => entries.put("a", upload(tables, `u${n}`, CHUNK_BYTES)));
      }
      expect(read(tables, "read", 1, { lease: "slow", last: true })).toBeDefined();
    });
  });

  it("that was replaced goes in spite of its readers when they keep a gigabyte", async () => {
    await withEntries("large flood of slow readers", (tables) => {
      const { entries, time, storage } = tables;
      for (let n = 0; n < 50; n += 1) {
        read(tables, `u${n}`, 0, { lease: `slow ${n}`, last: false });
        entries.write(() => entries.large.release({ large: `u${n}`, size: MAX_VALUE_BYTES }, time.now + n));
      }
      const kept = storage.sql.exec("SELECT large FROM unowned ORDER BY at").toArray();
      expect(kept).toHaveLength(40);
      expect(kept[0]).toEqual({ large: "u10" });
    });
  });

  it("that was replaced is kept while a reader has a lease on it, however slow", async () => {
    await withEntries("large slow reader", (tables) => {
      const { entries, time } = tables;
      const sweep = () => entries.write(() => entries.large.sweep(time.now));
      entries.write(() => entries.put("a", upload(tables, "read")));
      read(tables, "read", 0, { lease: "slow", last: false });
      // Not even many others take its place.
      for (let n = 0; n < MORE_THAN_KEPT; n += 1) {
        entries.write(() => entries.put("a", upload(tables, `u${n}`, CHUNK_BYTES)));
      }
      for (let n = 0; n < 20; n += 1) {
        time.now += KEEP_MS / 2;
        entries.write(() => entries.large.renewLease("read", time.now, "slow"));
        sweep();
      }
      expect(read(tables, "read", 1)).toBeDefined();
      time.now += KEEP_MS;
      sweep();
      expect(read(tables, "read", 1)).toBeUndefined();
    });
  });

  it("that is being uploaded is kept as long as chunks arrive", async () => {
    await withEntries("large slow sender", (tables) => {
      const { entries, time } = tables;
      const value = upload(tables, "slow");
      for (let n = 0; n < 5; n += 1) {
        time.now += KEEP_MS - 1;
        entries.write(() => entries.large.renewLease("slow", time.now));
        entries.write(() => entries.large.sweep(time.now));
      }
      entries.write(() => entries.put("a", value));
      expect(entries.get("a")).toMatchObject({ large: "slow" });
    });
  });

  it("of an entry that expires goes with it", async () => {
    await withEntries("large expires", (tables) => {
      const { entries, time } = tables;
      entries.write(() => entries.put("a", upload(tables, "u1"), { lifetime: { ttl: 1 } }));
      time.now += 1_000;
      entries.write(() => entries.expire(10));
      time.now += KEEP_MS;
      entries.write(() => entries.large.sweep(time.now));
      expect(rows(tables)).toBe(0);
      expect(entries.log.totals()).toMatchObject({ entries: 0, bytes: 0 });
    });
  });

  it("is no integer, and is not compared", async () => {
    const bucket = await startBucket("large compared");
    await call(() => bucket.append("u1", 0, chunk(49)));
    await call(() => bucket.append("u1", 1, chunk(49, 1)));
    await call(() => bucket.put("a", { large: "u1", size: CHUNK_BYTES + 1 }));
    await expect(call(() => bucket.increment("a", { by: 1n }))).rejects.toMatchObject({
      code: "not_an_integer",
    });
    await expect(
      call(() => bucket.transact({ if: [{ key: "a", is: "=", value: "1" }], then: [], else: [] })),
    ).rejects.toMatchObject({ code: "not_comparable" });
    expect(await call(() => bucket.run([{ verb: "GET", bucket: "b", key: "a" }]))).toMatchObject([
      { kind: "error", failure: { code: "value_too_large" } },
    ]);
    await call(() => bucket.stop("normal"));
    // Of our own: the engine's hold the mark of the end, for a minute.
    const left = await runInDurableObject(bucket, (_, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_schema WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'").toArray(),
    );
    expect(left).toEqual([]);
  });
});
