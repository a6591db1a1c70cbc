/**
 * Invariant 4, nothing leaks. Each object that was created either has a name in the registry, or is about to be wiped. A
 * create or a stop that is cut off at any point is finished or undone by the next alarm.
 */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call } from "../../src/otp/call.ts";
import { bucketOf, bucketState } from "../support/faults.ts";
import { clock } from "../support/objects.ts";

describe("invariant 4: nothing leaks", () => {
  it("a start that arrives after the stop creates no bucket, and its object keeps nothing", async () => {
    const id = env.BUCKET.newUniqueId();
    const args = { name: "overtaken", incarnation: "aaaa", createdAt: 0 };
    await call(() => env.BUCKET.get(id).stop("normal"));
    await expect(call(() => env.BUCKET.get(id).start(args))).rejects.toMatchObject({ reason: "noproc" });
    clock.aheadMs += 100_000;
    await runInDurableObject(bucketOf(id.toString()), (instance) => instance.alarm());
    expect(await bucketState(id.toString())).toMatchObject({ kept: 0 });
  });
});
