/** The orphan check: a bucket asks its partition whether it is still known. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { call } from "../../src/otp/call.ts";
import { setFailpointHook } from "../../src/otp/failpoint.ts";
import type { BucketArgs } from "../../src/rpc/bucket-rpc.ts";
import { create, isolate } from "../support/directories.ts";
import { armFailpoint, bucketOf, bucketsSince, bucketState, registryOf, rowOf } from "../support/faults.ts";
import { HOUR_MS } from "../support/looking.ts";
import { bucketIds, clock, freed, holdNext, orphans } from "../support/objects.ts";

const { directory } = isolate();
afterEach(() => setFailpointHook());

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
    // Its partition is in use and does not know it: it has ended while it created it.
    await create(directory, "beside-the-orphan");
    const id = await started("orphan", registryOf("beside-the-orphan").id);
    clock.aheadMs += 2 * DAY_MS;
    await runDurableObjectAlarm(bucketOf(id));
    expect(await bucketState(id)).toMatchObject({ incarnation: undefined });
    // Only now: until then it has its data.
    expect(freed).toContain(id);
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

  it("a bucket that asks while it is being created hears what has become of that", async () => {
    const registry = env.REGISTRY.get(env.REGISTRY.newUniqueId());
    const start = holdNext();
    const creating = call(() => registry.create({ partition: 0, partitions: 1 }, "newborn", {}));
    await expect.poll(() => start.held?.is).toBe("start");
    const [{ incarnation }] = (start.held?.args ?? []) as [BucketArgs];
    const nothing = { entries: 0, bytes: 0, revision: 0, restarts: 0 };
    const answer = await runInDurableObject(registry, (one) => {
      const asking = one.report({ name: "newborn", incarnation }, nothing);
      start.held?.settle({ reply: "started" });
      return asking;
    });
    expect(answer).toEqual({ reply: true });
    expect(await creating).toMatchObject({ created: true, registration: { id: start.held?.about } });
  });

  it("a bucket whose create ended with the registry asks, hears no, and ends", async () => {
    await create(directory, "beside-the-forgotten");
    const earlier = new Set(bucketIds);
    const isHit = armFailpoint("create: object started, not confirmed", "abort");
    await directory.create("forgotten").catch(() => undefined);
    setFailpointHook();
    expect(isHit()).toBe(true);
    const ids = bucketsSince(earlier);
    // The caller came again, as it may: it has a bucket of its own.
    const own = (await isolate().directory.create("forgotten")).registration.id;
    clock.aheadMs += 2 * DAY_MS;
    for (const id of ids) await runDurableObjectAlarm(bucketOf(id));
    for (const id of ids.filter((each) => each !== own)) {
      expect(await bucketState(id)).toMatchObject({ incarnation: undefined });
    }
    expect(ids.some((id) => id !== own)).toBe(true);
    expect(await bucketState(own)).toMatchObject({ incarnation: (await rowOf("forgotten"))?.incarnation });
  });

  it("with KV_ORPHAN_PERIOD_MS=0 none ends or is cleaned up, and it asks again until it may", async () => {
    await create(directory, "beside-the-held");
    const id = await started("held", registryOf("beside-the-held").id);
    await call(() => bucketOf(id).put("k", "1"));
    orphans.periodMs = 0;
    for (let days = 0; days < 3; days += 1) {
      clock.aheadMs += 2 * DAY_MS;
      expect(await runDurableObjectAlarm(bucketOf(id))).toBe(true);
      expect(await bucketState(id)).toMatchObject({ incarnation: "aaaa" });
    }
    expect(freed).not.toContain(id);
    orphans.periodMs = HOUR_MS;
    clock.aheadMs += 2 * DAY_MS;
    await runDurableObjectAlarm(bucketOf(id));
    expect(await bucketState(id)).toMatchObject({ incarnation: undefined });
    expect(freed).toContain(id);
  });

  it("one that was given up ends, too, and one that is known stays given up until a probe finds it well", async () => {
    const known = await create(directory, "beside-the-given-up");
    const orphan = await started("given-up", registryOf("beside-the-given-up").id);
    for (const id of [known, orphan]) {
      await runInDurableObject(bucketOf(id), (bucket) => {
        const life = bucket["life"];
        if (life !== undefined) bucket["keep"]({ ...life, givenUp: "out of cheese" });
      });
    }
    const before = await rowOf("beside-the-given-up");
    clock.aheadMs += 2 * DAY_MS;
    for (const id of [known, orphan]) await runDurableObjectAlarm(bucketOf(id));
    expect(await bucketState(orphan)).toMatchObject({ incarnation: undefined });
    expect(await bucketState(known)).toMatchObject({ incarnation: before?.incarnation });
    expect(await rowOf("beside-the-given-up")).toEqual(before);
  });

  it("a registry that has lost its storage is not trusted: no bucket is wiped on its word", async () => {
    const id = await started("bereft", env.REGISTRY.newUniqueId());
    clock.aheadMs += 2 * DAY_MS;
    await runDurableObjectAlarm(bucketOf(id));
    expect(await bucketState(id)).toMatchObject({ incarnation: "aaaa" });
  });
});
