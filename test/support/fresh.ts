/**
 * Before each file that runs in workerd: nothing is there of what the files before it have made, although they share a
 * runtime, whose start takes longer than most of them.
 */

import { reset } from "cloudflare:test";
import { beforeAll } from "vitest";
import { bucketIds, clock, deaf, seeded } from "./objects.ts";

beforeAll(async () => {
  await reset();
  bucketIds.clear();
  deaf.clear();
  Object.assign(clock, { aheadMs: 0, stoppedAt: undefined });
  seeded.bug = undefined;
});
