/** A partition of the registry: create, stop, list. */

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import type { Registration } from "../../src/model/registration.ts";
import { call } from "../../src/otp/call.ts";
import { setFailpointHook } from "../../src/otp/failpoint.ts";
import { Names } from "../../src/registry/names.ts";
import type { BucketArgs } from "../../src/rpc/bucket-rpc.ts";
import { partitionOf } from "../../src/rpc/partition.ts";
import { ask, isolate, PARTITIONS } from "../support/directories.ts";
import {
  armFailpoint,
  bucketOf,
  bucketsSince,
  kindsOf,
  registryOf,
  rowOf,
  wipeBehind,
} from "../support/faults.ts";
import { bucketIds, clock, freed, holdNext } from "../support/objects.ts";
import { nameRow } from "../support/rows.ts";

const { directory } = isolate();
afterEach(() => setFailpointHook());

/** Leaves a name in a state in which a registry that was cut off would have left it. */
async function cutOff(name: string, state: "starting" | "stopping", started: boolean): Promise<Registration> {
  // The partition is in use, so it has its tables.
  await directory.create(`beside ${name}`.replaceAll(" ", "-"));
  const id = env.BUCKET.newUniqueId();
  const entry = nameRow({ name, incarnation: "cut-off", id: id.toString(), state, createdAt: 1 });
  await directory.create(name);
  await directory.stop(name);
  await runInDurableObject(registryOf(name), (_, { storage }) => new Names(storage.sql).insert(entry, 0));
  if (started) await call(() => env.BUCKET.get(id).start({ name, incarnation: "cut-off", createdAt: 1 }));
  return entry;
}

describe("create", () => {
  it("ensures that there is a bucket: the same one, the second time", async () => {
    const first = await directory.create("ensured", { metadata: '{"a":1}' });
    const second = await directory.create("ensured", { metadata: '{ "a": 1 }' });
    expect(first.created).toBe(true);
    expect(second).toEqual({ registration: first.registration, created: false });
  });

  it.each([
    ["before the object was told", false],
    ["before it was confirmed", true],
  ])(
    "that was cut off %s is undone by the next one, which makes a bucket of its own",
    async (when, started) => {
      const name = `cut-create-next-${when}`.replaceAll(" ", "-");
      const entry = await cutOff(name, "starting", started);
      expect(await directory.lookup(name)).toBeUndefined();
      const { created, registration } = await directory.create(name);
      expect(created).toBe(true);
      expect(registration.id).not.toBe(entry.id);
      expect(await env.BUCKET.get(env.BUCKET.idFromString(entry.id)).totals()).toEqual({ exit: "noproc" });
      expect(await ask(directory, name, (bucket) => bucket.totals())).toMatchObject({ entries: 0 });
    },
  );

  it.each([
    ["before the object was told", false],
    ["before it was confirmed", true],
  ])(
    "that was cut off %s is undone by the alarm: nobody was told that there is a bucket",
    async (when, started) => {
      const name = `cut-create-${when}`.replaceAll(" ", "-");
      const entry = await cutOff(name, "starting", started);
      const before = await kindsOf(name);
      await runDurableObjectAlarm(registryOf(name));
      // The alarm has run before its time: the repair is due ten seconds after the create.
      await runInDurableObject(registryOf(name), (instance) => instance["handleInfo"]("check"));
      expect(await rowOf(name)).toBeUndefined();
      expect(await env.BUCKET.get(env.BUCKET.idFromString(entry.id)).totals()).toEqual({ exit: "noproc" });
      // What was never created has not ended either.
      expect(await kindsOf(name)).toEqual(before);
    },
  );

  const timersOf = (name: string): Promise<string[]> =>
    runInDurableObject(registryOf(name), (_, { storage }) =>
      [...storage.kv.list({ prefix: "otp:timer/" })].map(([key]) => key),
    );

  it("sets no timer of its own: there is nothing to undo before the object has replied", async () => {
    const before = await directory.create("beside-unarmed").then(() => timersOf("unarmed"));
    await directory.create("unarmed");
    expect(await timersOf("unarmed")).toEqual(expect.arrayContaining(["otp:timer/sweep"]));
    expect((await timersOf("unarmed")).includes("otp:timer/check")).toBe(before.includes("otp:timer/check"));
  });

  it("that gets no reply leaves a row and the repair's alarm behind, and nobody finds it", async () => {
    const before = Date.now() + clock.aheadMs;
    armFailpoint("create: object started, not confirmed", "throw");
    await expect(directory.create("armed")).rejects.toThrow();
    setFailpointHook();
    expect(await rowOf("armed")).toMatchObject({ state: "starting" });
    expect(await timersOf("armed")).toContain("otp:timer/check");
    const alarm = await runInDurableObject(registryOf("armed"), (_, { storage }) => storage.getAlarm());
    expect(alarm).toBeGreaterThan(before);
    expect(await directory.lookup("armed")).toBeUndefined();
  });

  it("whose row can't be written stops the object that it has started", async () => {
    await directory.create("beside-unwritten");
    const earlier = new Set(bucketIds);
    armFailpoint("create: row written, event or repair not", "throw");
    await expect(directory.create("unwritten")).rejects.toThrow();
    setFailpointHook();
    const [id = "", ...others] = bucketsSince(earlier);
    expect(others).toEqual([]);
    await expect.poll(() => bucketOf(id).totals()).toEqual({ exit: "noproc" });
    expect(await rowOf("unwritten")).toBeUndefined();
    await expect.poll(() => freed).toContain(id);
  });

  it.each([
    ["has ended by itself", true],
    ["was stopped before", false],
  ])("begins anew if its object %s, which is then cleaned up", async (_, notice) => {
    const registry = env.REGISTRY.get(env.REGISTRY.newUniqueId());
    const start = holdNext();
    const creating = call(() => registry.create({ partition: 0, partitions: 1 }, "anew", {}));
    await expect.poll(() => start.held?.is).toBe("start");
    const [{ incarnation }] = (start.held?.args ?? []) as [BucketArgs];
    await runInDurableObject(registry, async (one) => {
      if (notice) await one.notify({ kind: "down", ref: `${incarnation}/anew`, reason: "shutdown" });
      start.held?.settle(notice ? { exit: "timeout" } : { exit: "noproc" });
    });
    const { registration } = await creating;
    expect(registration.id).not.toBe(start.held?.about);
    if (!notice) expect(freed).toContain(start.held?.about);
  });

  it("counts among the starting ones while its object has not replied", async () => {
    const registry = env.REGISTRY.get(env.REGISTRY.newUniqueId());
    const caller = { partition: 0, partitions: 1 };
    const starting = (): Promise<number> =>
      call(() => registry.stats(caller)).then(({ states }) => states.starting);
    const start = holdNext();
    const creating = call(() => registry.create(caller, "counted", {}));
    await expect.poll(() => start.held?.is).toBe("start");
    expect(await starting()).toBe(1);
    await runInDurableObject(registry, () => start.held?.settle({ reply: "started" }));
    expect(await creating).toMatchObject({ created: true });
    expect(await starting()).toBe(0);
  });
});

describe("stop", () => {
  it("of a name that leads nowhere says so", async () => {
    expect(await directory.stop("never-there")).toBe(false);
  });

  it("that was cut off is finished before the name is used again", async () => {
    const entry = await cutOff("cut-stop-next", "stopping", true);
    expect(await directory.lookup("cut-stop-next")).toBeUndefined();
    const { registration, created } = await directory.create("cut-stop-next");
    expect(created).toBe(true);
    expect(registration.id).not.toBe(entry.id);
    expect(await env.BUCKET.get(env.BUCKET.idFromString(entry.id)).totals()).toEqual({ exit: "noproc" });
  });

  it("that was cut off is finished by the alarm", async () => {
    const entry = await cutOff("cut-stop-alarm", "stopping", true);
    await runInDurableObject(registryOf("cut-stop-alarm"), (instance) => instance["handleInfo"]("check"));
    expect(await rowOf("cut-stop-alarm")).toBeUndefined();
    expect(await env.BUCKET.get(env.BUCKET.idFromString(entry.id)).totals()).toEqual({ exit: "noproc" });
  });
});

describe("list", () => {
  it("is in name order across partitions, by prefix, page after page", async () => {
    const names = Array.from(
      { length: 25 },
      (_, index) => `list-${String.fromCharCode(97 + ((index * 7) % 25))}`,
    );
    await Promise.all(names.map((name) => directory.create(name)));
    const found: string[] = [];
    for (let after = ""; ;) {
      const page = await directory.list({ prefix: "list-", after, limit: 4 });
      found.push(...page.map(({ name }) => name));
      if (page.length < 4) break;
      after = page.at(-1)?.name ?? "";
    }
    expect(found).toEqual(names.toSorted());
  });

  it("wakes no bucket", async () => {
    const { registration } = await directory.create("asleep");
    await evictDurableObject(env.BUCKET.get(env.BUCKET.idFromString(registration.id)));
    expect(await directory.list({ prefix: "asleep", after: "", limit: 10 })).toHaveLength(1);
    // To evict what does not run is an error: this is how the test knows that it was not woken.
    await expect(
      evictDurableObject(env.BUCKET.get(env.BUCKET.idFromString(registration.id))),
    ).rejects.toThrow();
  });

  it("leaves out what is between two states", async () => {
    await cutOff("between-states", "stopping", true);
    expect(await directory.list({ prefix: "between-states", after: "", limit: 10 })).toEqual([]);
  });
});

describe("a name in the registry", () => {
  it("whose bucket says itself that it is gone is freed; no other word frees it", async () => {
    const { registration } = await directory.create("wiped");
    const caller = { partition: partitionOf("wiped", PARTITIONS), partitions: PARTITIONS };
    const suspect = (incarnation: string): Promise<boolean> =>
      call(() => registryOf("wiped").suspect(caller, "wiped", incarnation));
    expect(await suspect(registration.incarnation)).toBe(false);
    expect(await directory.lookup("wiped")).toBeDefined();
    await wipeBehind(registration.id);
    expect(await suspect("another")).toBe(false);
    expect(await suspect(registration.incarnation)).toBe(true);
    expect(await directory.lookup("wiped")).toBeUndefined();
  });

  it("survives a restart of its partition", async () => {
    const { registration } = await directory.create("kept");
    await evictDurableObject(registryOf("kept"));
    expect(await directory.lookup("kept")).toEqual(registration);
  });
});
