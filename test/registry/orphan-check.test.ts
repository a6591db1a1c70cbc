/** The orphan check: a bucket asks its partition whether it is still known. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call } from "../../src/otp/call.ts";
import { isolate } from "../support/directories.ts";
import { bucketOf, bucketState, registryOf, rowOf } from "../support/faults.ts";
import { HOUR_MS } from "../support/looking.ts";
import { clock } from "../support/objects.ts";

const { directory } = isolate();

const DAY_MS = 24 * HOUR_MS;

async function create(name: string): Promise<string> {
  const { registration } = await directory.create(name);
  return registration.id;
}

describe("the orphan check", () => {
  it("an object that has no name in the registry wipes itself", async () => {
    // Its partition is in use and does not know it: its start was late, and its stop was lost.
    await create("beside-the-orphan");
    const id = env.BUCKET.newUniqueId();
    const watcher = { binding: "REGISTRY", id: registryOf("beside-the-orphan").id.toString() };
    await call(() =>
      env.BUCKET.get(id).start(
        { name: "orphan", incarnation: "aaaa", createdAt: 0 },
        { monitor: { ref: "aaaa/orphan", watcher } },
      ),
    );
    clock.aheadMs += 2 * DAY_MS;
    await runDurableObjectAlarm(bucketOf(id.toString()));
    expect(await bucketState(id.toString())).toMatchObject({ incarnation: undefined, kept: 0 });
  });

  it("a bucket that is known lives on, and asks again later", async () => {
    const id = await create("known");
    clock.aheadMs += 2 * DAY_MS;
    await runDurableObjectAlarm(bucketOf(id));
    expect(await bucketState(id)).toMatchObject({ incarnation: (await rowOf("known"))?.incarnation });
    const alarm = await runInDurableObject(bucketOf(id), (_, { storage }) => storage.getAlarm());
    expect(alarm).toBeGreaterThan(Date.now() + clock.aheadMs);
  });

  it("a registry that has lost its storage is not trusted: no bucket is wiped on its word", async () => {
    const id = env.BUCKET.newUniqueId();
    const watcher = { binding: "REGISTRY", id: env.REGISTRY.newUniqueId().toString() };
    await call(() =>
      env.BUCKET.get(id).start(
        { name: "bereft", incarnation: "aaaa", createdAt: 0 },
        { monitor: { ref: "aaaa/bereft", watcher } },
      ),
    );
    clock.aheadMs += 2 * DAY_MS;
    await runDurableObjectAlarm(bucketOf(id.toString()));
    expect(await bucketState(id.toString())).toMatchObject({ incarnation: "aaaa" });
  });
});
