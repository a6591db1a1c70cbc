/** The partition count, and the partition of a name. */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { partitionOf } from "../../src/rpc/partition.ts";
import { partitionStub } from "../../src/rpc/partition-stub.ts";
import { isolate, PARTITIONS } from "../support/directories.ts";

const OTHER = PARTITIONS * 2;

describe("before the first bucket", () => {
  it("lookups and lists find nothing, under any number of partitions, and settle none", async () => {
    for (const partitions of [PARTITIONS, OTHER]) {
      const { directory } = isolate({ partitions });
      expect(await directory.lookup("anything")).toBeUndefined();
      expect(await directory.list({ prefix: "", after: "", limit: 10 })).toEqual([]);
    }
    const tables = await runInDurableObject(partitionStub(env.REGISTRY, 0), (_, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_schema").toArray(),
    );
    expect(tables).toEqual([]);
  });
});

describe("the number of partitions", () => {
  it("is settled by the first create, and any other is refused, never served as an empty registry", async () => {
    await isolate().directory.create("first");
    const mistaken = isolate({ partitions: OTHER }).directory;
    // Names of partitions that are in use, that are not, and that were never there under the first number.
    const names = Array.from({ length: 64 }, (_, index) => `name-${index}`);
    expect(new Set(names.map((name) => partitionOf(name, OTHER))).size).toBeGreaterThan(1);
    for (const name of ["first", ...names]) {
      for (const request of [
        () => mistaken.lookup(name),
        () => mistaken.create(name),
        () => mistaken.stop(name),
        () => mistaken.call(name, (bucket) => bucket.totals()),
      ]) {
        await expect(request()).rejects.toMatchObject({ code: "partitions_mismatch" });
      }
    }
    await expect(mistaken.list({ prefix: "", after: "", limit: 1 })).rejects.toMatchObject({
      code: "partitions_mismatch",
      message: expect.stringContaining(`Set it back to ${PARTITIONS}`) as string,
    });
    expect(await isolate().directory.list({ prefix: "", after: "", limit: 10 })).toHaveLength(1);
  });
});

describe("the partition of a name", () => {
  it("never changes", () => {
    // What is stored depends on these: a change of the hash would lose every name.
    expect(["shopping", "milk", "a", "~"].map((name) => partitionOf(name, 16))).toEqual([13, 2, 12, 1]);
  });

  it("spreads names evenly", () => {
    const counts = Array.from({ length: 16 }, () => 0);
    for (let index = 0; index < 16_000; index += 1) {
      const partition = partitionOf(`bucket-${index}`, 16);
      counts[partition] = Number(counts[partition]) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(Math.max(...counts)).toBeLessThan(1_200);
  });
});
