/** The orphan check: a bucket asks its partition whether it is still known. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call } from "../../src/otp/call.ts";
import { create, isolate } from "../support/directories.ts";
import { bucketOf, bucketState, registryOf, rowOf } from "../support/faults.ts";
import { HOUR_MS } from "../support/looking.ts";
import { clock } from "../support/objects.ts";

const { directory } = isolate();

const DAY_MS = 24 * HOUR_MS;

/** Starts an object that the registry does not know. @param watcher the partition that it tells of its end */
async function started(name: string, watcher: DurableObjectId): Promise<string> {
  const id = env.BUCKET.newUniqueId();
  await call(() =>
    env.BUCKET.get(id).start(
      { name, incarnation: "aaaa", createdAt: 0 },
      { monitor: { ref: `aaaa/${name}`, watcher: { binding: "REGISTRY", id: watcher.toString() } } },
    ),
  );
  return id.toString();
}

describe("the orphan check", () => {
  it("an object that has no name in the registry wipes itself", async () => {
    // Its partition is in use and does not know it: its start was late, and its stop was lost.
    await create(directory, "beside-the-orphan");
    const id = await started("orphan", registryOf("beside-the-orphan").id);
    clock.aheadMs += 2 * DAY_MS;
    await runDurableObjectAlarm(bucketOf(id));
    expect(await bucketState(id)).toMatchObject({ incarnation: undefined });
    // The mark of its end is there for a minute.
    clock.aheadMs += 61_000;
    await runDurableObjectAlarm(bucketOf(id));
    expect(await bucketState(id)).toMatchObject({ incarnation: undefined, kept: 0 });
  });

  it("a bucket that is known lives on, and does not ask again", async () => {
    const id = await create(directory, "known");
    clock.aheadMs += 2 * DAY_MS;
    await runDurableObjectAlarm(bucketOf(id));
    expect(await bucketState(id)).toMatchObject({ incarnation: (await rowOf("known"))?.incarnation });
    const alarm = await runInDurableObject(bucketOf(id), (_, { storage }) => storage.getAlarm());
    expect(alarm).toBeNull();
  });

  it("a registry that has lost its storage is not trusted: no bucket is wiped on its word", async () => {
    const id = await started("bereft", env.REGISTRY.newUniqueId());
    clock.aheadMs += 2 * DAY_MS;
    await runDurableObjectAlarm(bucketOf(id));
    expect(await bucketState(id)).toMatchObject({ incarnation: "aaaa" });
  });
});
