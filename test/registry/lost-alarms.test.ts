/** The platform has lost an object's alarm: whatever wakes the object sets it again. */

import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { call } from "../../src/otp/call.ts";
import { partitionOf } from "../../src/rpc/partition.ts";
import { isolate, PARTITIONS } from "../support/directories.ts";
import { bucketOf, registryOf } from "../support/faults.ts";
import { clock, type TestBucket, type TestRegistry } from "../support/objects.ts";

const DAY_MS = 86_400_000;

/** Loses the alarm of an object that is awake, and lets its timers become overdue. @returns when there is one again */
async function lose(stub: DurableObjectStub<TestBucket> | DurableObjectStub<TestRegistry>): Promise<void> {
  await runInDurableObject(stub, (_, { storage }) => storage.deleteAlarm());
  clock.aheadMs += 2 * DAY_MS;
}

const alarmOf = (
  stub: DurableObjectStub<TestBucket> | DurableObjectStub<TestRegistry>,
): Promise<number | null> => runInDurableObject(stub, (_, { storage }) => storage.getAlarm());

describe("a bucket whose alarm is lost", () => {
  const doors: [string, (bucket: DurableObjectStub<TestBucket>) => Promise<unknown>][] = [
    ["a read", (bucket) => call(() => bucket.get("a", {}))],
    ["a write", (bucket) => call(() => bucket.put("a", "1"))],
    ["a command", (bucket) => call(() => bucket.run([{ verb: "GET", bucket: "b", key: "a" }]))],
    ["a probe", (bucket) => call(() => bucket.probe())],
    ["an exit signal that is ignored", (bucket) => call(() => bucket.exit("normal"))],
    ["a notice", (bucket) => call(() => bucket.notify({ kind: "down", ref: "r", reason: "normal" }))],
    [
      "a connection",
      (bucket) => bucket.fetch("http://bucket/connect", { headers: { Upgrade: "websocket" } }),
    ],
  ];

  it.each(doors)("has one again after %s", async (what, knock) => {
    const { registration } = await isolate().directory.create(`lost-${what.replaceAll(" ", "-")}`);
    const bucket = bucketOf(registration.id);
    await call(() => bucket.put("a", "1", { lifetime: { ttl: 60 } }));
    await lose(bucket);
    await knock(bucket);
    expect(await alarmOf(bucket)).not.toBeNull();
  });
});

describe("a partition whose alarm is lost", () => {
  const NOTHING = { entries: 0, bytes: 0, revision: 0, restarts: 0 };
  const name = "lost-partition";
  const caller = { partition: partitionOf(name, PARTITIONS), partitions: PARTITIONS };
  const doors: [string, (registry: DurableObjectStub<TestRegistry>) => Promise<unknown>][] = [
    ["a lookup", (registry) => call(() => registry.lookup(caller, name))],
    ["a create of what is there", (registry) => call(() => registry.create(caller, name, {}))],
    ["a report", (registry) => call(() => registry.report({ name, incarnation: "none" }, NOTHING))],
    ["a count", (registry) => call(() => registry.stats(caller))],
    ["a notice", (registry) => call(() => registry.notify({ kind: "down", ref: "y/x", reason: "normal" }))],
  ];

  it.each(doors)("has one again after %s", async (_, knock) => {
    await isolate().directory.create(name);
    await lose(registryOf(name));
    await knock(registryOf(name));
    expect(await alarmOf(registryOf(name))).not.toBeNull();
  });
});
