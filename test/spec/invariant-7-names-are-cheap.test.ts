/** Invariant 7, names are cheap. A million lookups of unknown names change nothing, on disk or in memory. */

import { listDurableObjectIds, reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { partitionStub } from "../../src/rpc/partition-stub.ts";
import { ask, isolate, PARTITIONS } from "../support/directories.ts";

const { directory } = isolate();

describe("invariant 7: names are cheap", () => {
  // What is repaired later would change what is counted here.
  beforeAll(reset);

  it("reads of unknown names make no row, no object, no cache entry", async () => {
    await directory.create("some-bucket");
    const reader = isolate();
    const buckets = (await listDurableObjectIds(env.BUCKET)).length;
    const rows = await tableSizes();
    for (let index = 0; index < 100; index += 1) {
      expect(await reader.directory.lookup(`unknown-${index}`)).toBeUndefined();
      expect(await ask(reader.directory, `unknown-${index}`, (bucket) => bucket.totals())).toBeUndefined();
      expect(await reader.directory.stop(`unknown-${index}`)).toBe(false);
    }
    expect(reader.cache.size).toBe(0);
    expect((await listDurableObjectIds(env.BUCKET)).length).toBe(buckets);
    expect(await tableSizes()).toEqual(rows);
  });

  /** Rows in each table of each partition. */
  function tableSizes(): Promise<unknown[]> {
    return Promise.all(
      Array.from({ length: PARTITIONS }, (_, partition) =>
        runInDurableObject(partitionStub(env.REGISTRY, partition), (__, { storage: { sql } }) =>
          sql
            .exec<{ name: string }>(
              "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
            )
            .toArray()
            .map(({ name }) => [name, sql.exec(`SELECT count(*) AS rows FROM ${name}`).one()]),
        ),
      ),
    );
  }
});
