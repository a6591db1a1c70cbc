/** A bucket that has changed reports its totals, when it trims its log anyway: no probe has to ask. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { call } from "../../src/otp/call.ts";
import { create, exitBucket, isolate } from "../support/directories.ts";
import { bucketOf, bucketState, eventsOf, registryOf, rowOf } from "../support/faults.ts";
import { HOUR_MS, later } from "../support/looking.ts";
import { clock } from "../support/objects.ts";
import { BucketHandle } from "../../src/directory/bucket-handle.ts";

const { directory } = isolate();
const DAY_MS = 24 * HOUR_MS;
/** A day, and the time over which reports are spread. */
const LATER_MS = DAY_MS + HOUR_MS + 1;

/** Puts, and lets a day pass. */
async function changed(name: string, ...keys: readonly string[]): Promise<string> {
  const id = await create(directory, name);
  for (const key of keys) await new BucketHandle(directory, name).put(key, "1");
  clock.aheadMs += LATER_MS;
  await runDurableObjectAlarm(bucketOf(id));
  return id;
}

describe("a bucket that has changed", () => {
  it("reports its totals a day later, without a probe", async () => {
    await changed("reports", "a", "b");
    expect(await rowOf("reports")).toMatchObject({ state: "running", probe: { entries: 2, revision: 2 } });
  });

  it("does not report again what has not changed", async () => {
    const id = await changed("reports-once", "a");
    const alarm = await runInDurableObject(bucketOf(id), (_, { storage }) => storage.getAlarm());
    expect(alarm).toBeNull();
  });

  it("reports and trims for many changes together: a day's in at most 24 runs", async () => {
    const id = await create(directory, "reports-many");
    const bucket = new BucketHandle(directory, "reports-many");
    const runs: number[] = [];
    const until = clock.aheadMs + 2 * DAY_MS;
    for (let put = 0; clock.aheadMs < until; put += 1) {
      await bucket.put("a", String(put));
      clock.aheadMs += HOUR_MS / 4;
      const due = await runInDurableObject(bucketOf(id), (_, { storage }) => storage.getAlarm());
      if (due !== null && due <= Date.now() + clock.aheadMs && (await runDurableObjectAlarm(bucketOf(id))))
        runs.push(put);
    }
    // None on the first day, and one an hour on the second; and the orphan check, within the first hours.
    expect(runs.length).toBeGreaterThan(12);
    expect(runs.length).toBeLessThanOrEqual(26);
  });

  it("is running again when it reports, if the registry took it for unreachable", async () => {
    const id = await create(directory, "reports-back");
    await new BucketHandle(directory, "reports-back").put("a", "1");
    const registry = registryOf("reports-back");
    await runInDurableObject(registry, (_, { storage }) => {
      storage.sql.exec(
        "UPDATE names SET state = 'unreachable', attempts = 3, check_at = 9e15 WHERE name = 'reports-back'",
      );
    });
    clock.aheadMs += LATER_MS;
    await runDurableObjectAlarm(bucketOf(id));
    expect(await rowOf("reports-back")).toMatchObject({ state: "running", attempts: 0 });
    expect((await eventsOf("reports-back")).at(-1)).toMatchObject({ kind: "reachable" });
  });

  it("says nothing for a row between two states: only the registry's own work finishes that", async () => {
    const id = await create(directory, "reports-between");
    await runInDurableObject(registryOf("reports-between"), (_, { storage }) => {
      storage.sql.exec("UPDATE names SET state = 'stopping', check_at = 9e15 WHERE name = 'reports-between'");
    });
    await call(() => bucketOf(id).put("a", "1", {}));
    clock.aheadMs += LATER_MS;
    await runDurableObjectAlarm(bucketOf(id));
    expect(await rowOf("reports-between")).toMatchObject({ state: "stopping" });
    expect(await bucketState(id)).toMatchObject({ incarnation: expect.any(String) as string });
  });

  it("is not taken for well by its report if it was given up: only a probe finds out", async () => {
    const name = "reports-given-up";
    const id = await create(directory, name);
    await new BucketHandle(directory, name).put("a", "1");
    clock.aheadMs += LATER_MS;
    for (let n = 0; n < 4; n += 1) await exitBucket(directory, name, "boom").catch(() => undefined);
    await vi.waitFor(async () => expect((await rowOf(name))?.state).toBe("unreachable"), 10_000);
    await runDurableObjectAlarm(bucketOf(id));
    expect(await rowOf(name)).toMatchObject({ state: "unreachable" });
    await later(name, HOUR_MS);
    await new BucketHandle(directory, name).put("a", "2");
    expect(await rowOf(name)).toMatchObject({ state: "running" });
  });

  it("tells nothing new, if the registry has heard of a later restart", async () => {
    const id = await create(directory, "reports-late");
    await new BucketHandle(directory, "reports-late").put("a", "1");
    await runInDurableObject(registryOf("reports-late"), (_, { storage }) => {
      storage.sql.exec(
        "UPDATE names SET state = 'unreachable', restarts = 4, attempts = 3, check_at = 9e15 WHERE name = 'reports-late'",
      );
    });
    clock.aheadMs += LATER_MS;
    await runDurableObjectAlarm(bucketOf(id));
    expect(await rowOf("reports-late")).toMatchObject({ state: "unreachable", probe: null });
  });

  it("reports again an hour later, if the registry could not be told", async () => {
    const id = await create(directory, "reports-again");
    await new BucketHandle(directory, "reports-again").put("a", "1");
    clock.aheadMs += LATER_MS;
    const registry = registryOf("reports-again");
    // What is an object's own can't be called from outside.
    await runInDurableObject(registry, (own) => void Object.assign(own, { report: undefined }));
    await runDurableObjectAlarm(bucketOf(id));
    expect((await rowOf("reports-again"))?.probe).toBeNull();
    await runInDurableObject(registry, (own) => void Reflect.deleteProperty(own, "report"));
    clock.aheadMs += HOUR_MS + 1;
    await runDurableObjectAlarm(bucketOf(id));
    expect(await rowOf("reports-again")).toMatchObject({ probe: { entries: 1 } });
  });

  it("ends itself if the registry does not know it", async () => {
    await create(directory, "beside-the-stranger");
    const id = env.BUCKET.newUniqueId();
    const watcher = { binding: "REGISTRY", id: registryOf("beside-the-stranger").id.toString() };
    await call(() =>
      env.BUCKET.get(id).start(
        { name: "stranger", incarnation: "bbbb", createdAt: 0 },
        { monitor: { ref: "bbbb/stranger", watcher } },
      ),
    );
    await call(() => env.BUCKET.get(id).put("a", "1", {}));
    clock.aheadMs += LATER_MS;
    await runDurableObjectAlarm(bucketOf(id.toString()));
    expect(await bucketState(id.toString())).toMatchObject({ incarnation: undefined });
  });
});
