/**
 * Before each file that runs in workerd: nothing is there of what the files before it have made, although they share a
 * runtime, whose start takes longer than most of them.
 */

import { reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll } from "vitest";
import { partitionStub } from "../../src/rpc/partition-stub.ts";
import { PARTITIONS } from "./directories.ts";
import { bucketIds, clock, deaf, seeded } from "./objects.ts";

beforeAll(async () => {
  // What an object was just about to store comes too late for a reset, and is there afterwards.
  do await reset();
  while (!(await isEmpty()));
  bucketIds.clear();
  deaf.clear();
  Object.assign(clock, { aheadMs: 0, stoppedAt: undefined });
  seeded.bug = undefined;
});

async function isEmpty(): Promise<boolean> {
  const tables = await Promise.all(
    Array.from({ length: PARTITIONS }, (_, partition) =>
      runInDurableObject(partitionStub(env.REGISTRY, partition), (__, { storage }) =>
        storage.sql.exec("SELECT name FROM sqlite_schema").toArray(),
      ),
    ),
  );
  return tables.flat().length === 0;
}
