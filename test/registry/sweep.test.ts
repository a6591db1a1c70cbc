/** Liveness: suspicion, the sweep, and the orphan check. */

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { call } from "../../src/otp/call.ts";
import { partitionOf } from "../../src/rpc/partition.ts";
import { partitionStub } from "../../src/rpc/partition-stub.ts";
import { setFailpointHook } from "../../src/otp/failpoint.ts";
import { ask, exitBucket, isolate, PARTITIONS } from "../support/directories.ts";
import {
  abortObject,
  bucketOf,
  bucketState,
  eventsOf,
  registryOf,
  rowOf,
  wipeBehind,
} from "../support/faults.ts";
import { clock, deaf } from "../support/objects.ts";

const { directory } = isolate();
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

// Probes that fail are the subject here.
beforeAll(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));
afterEach(() => deaf.clear());

/** Lets time go by, and runs the alarm of the name's partition. */
async function later(name: string, ms: number): Promise<void> {
  clock.aheadMs += ms;
  await runDurableObjectAlarm(registryOf(name));
}

/** Sweeps all partitions once, as the hour does. */
async function sweep(): Promise<void> {
  clock.aheadMs += HOUR_MS + 1_000;
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    await runDurableObjectAlarm(partitionStub(env.REGISTRY, partition)).catch(() => undefined);
  }
}

async function create(name: string): Promise<string> {
  const { registration } = await directory.create(name);
  return registration.id;
}

/** When the name's own row was last written by a probe. */
const written = (name: string): Promise<unknown[]> =>
  runInDurableObject(registryOf(name), (_, { storage }) =>
    storage.sql.exec("SELECT probed_at FROM names WHERE name = ?", name).toArray(),
  );

/** Names that share a partition; the first is `prefix-0`. */
function namesOfOnePartition(prefix: string, count: number): string[] {
  const partition = partitionOf(`${prefix}-0`, PARTITIONS);
  return Array.from({ length: count * PARTITIONS * 3 }, (_, at) => `${prefix}-${at}`)
    .filter((name) => partitionOf(name, PARTITIONS) === partition)
    .slice(0, count);
}

/** Tells the registry of a suspicion, as a caller does. */
async function doubt(name: string): Promise<void> {
  const caller = { partition: partitionOf(name, PARTITIONS), partitions: PARTITIONS };
  const incarnation = (await rowOf(name))?.incarnation ?? "";
  await call(() => registryOf(name).suspect(caller, name, incarnation));
}

/** When the partition of a name looks after suspects next. */
const nextCheck = (name: string): Promise<number> =>
  runInDurableObject(registryOf(name), (_, { storage }) =>
    Number(storage.kv.get<{ due: number }>("otp:timer/check")?.due),
  );

const kinds = async (name: string): Promise<string[]> =>
  (await eventsOf(name)).map(({ kind, reason }) => (reason === null ? kind : `${kind} ${reason}`));

describe("a clock that is put back by an hour", () => {
  /** Puts it back until the test is over: what was set meanwhile is then long overdue. */
  function putBack(): void {
    clock.aheadMs -= HOUR_MS;
    onTestFinished(() => void (clock.aheadMs += 2 * HOUR_MS));
  }

  it("does not stop the sweep", async () => {
    await create("back-swept");
    await sweep();
    await ask(directory, "back-swept", (bucket) => bucket.put("milk", "1"));
    putBack();
    // Any call to the partition finds out.
    await directory.lookup("back-swept");
    await runDurableObjectAlarm(registryOf("back-swept"));
    const probe = (await directory.lookup("back-swept"))?.probe;
    expect(probe).toMatchObject({ entries: 1, revision: 1 });
    expect(probe?.at).toBeLessThanOrEqual(Date.now() + clock.aheadMs);
  });

  it("does not keep one that was not reached, or was given up, from being looked at", async () => {
    const id = await create("back-suspect");
    deaf.add(id);
    await doubt("back-suspect");
    expect(await rowOf("back-suspect")).toMatchObject({ state: "suspect" });
    deaf.clear();
    putBack();
    await directory.lookup("back-suspect");
    await runDurableObjectAlarm(registryOf("back-suspect"));
    expect(await rowOf("back-suspect")).toMatchObject({ state: "running" });
  });

  it("does not keep one that was given up from being tried again, nor give one up for what was before", async () => {
    await create("back-given-up");
    clock.stoppedAt = Date.now();
    onTestFinished(() => void (clock.stoppedAt = undefined));
    for (let count = 0; count < 4; count += 1) await exitBucket(directory, "back-given-up", "boom");
    expect(await rowOf("back-given-up")).toMatchObject({ state: "unreachable" });
    putBack();
    await directory.lookup("back-given-up");
    await runDurableObjectAlarm(registryOf("back-given-up"));
    expect(await rowOf("back-given-up")).toMatchObject({ state: "running", restarts: 4 });
    await exitBucket(directory, "back-given-up", "boom");
    expect(await rowOf("back-given-up")).toMatchObject({ state: "running", restarts: 5 });
  });
});

describe("the sweep", () => {
  it("brings back entries, bytes and revision, with the time", async () => {
    await create("swept");
    await ask(directory, "swept", (bucket) => bucket.put("milk", "12345"));
    expect(await directory.lookup("swept")).toMatchObject({ probe: null });
    const before = Date.now() + clock.aheadMs;
    await sweep();
    const after = Date.now() + clock.aheadMs;
    const found = await directory.lookup("swept");
    expect(found?.probe).toMatchObject({ entries: 1, bytes: 9, revision: 1 });
    expect(found?.probe?.at).toBeGreaterThanOrEqual(before);
    expect(found?.probe?.at).toBeLessThanOrEqual(after);
    expect(await directory.list({ prefix: "swept", after: "", limit: 1 })).toEqual([found]);
  });

  it("writes no row of a bucket that has not changed, and its age is the sweep's all the same", async () => {
    await create("idle");
    await sweep();
    const first = (await directory.lookup("idle"))?.probe;
    const [row] = await written("idle");
    await sweep();
    const second = (await directory.lookup("idle"))?.probe;
    expect(Number(second?.at) - Number(first?.at)).toBeGreaterThanOrEqual(HOUR_MS);
    expect(await written("idle")).toEqual([row]);
    await ask(directory, "idle", (bucket) => bucket.put("milk", "1"));
    await sweep();
    expect(await written("idle")).not.toEqual([row]);
  });

  it("frees a name whose bucket was wiped behind everybody's back: DOWN noproc", async () => {
    const id = await create("wiped-behind");
    await wipeBehind(id);
    expect(await directory.lookup("wiped-behind")).toBeDefined();
    await sweep();
    expect(await directory.lookup("wiped-behind")).toBeUndefined();
    expect(await kinds("wiped-behind")).toEqual(["created", "DOWN noproc"]);
  });

  it("goes on behind its last batch, round and round", async () => {
    const names = Array.from({ length: 5 }, (_, at) => `round-${at}`);
    for (const name of names) await create(name);
    await sweep();
    await sweep();
    for (const name of names) expect((await directory.lookup(name))?.probe).not.toBeNull();
  });
});

describe("invariant 6: only the bucket's own word kills it", () => {
  it("a bucket that does not answer is suspect, then unreachable, and its name is kept", async () => {
    const id = await create("unreachable");
    deaf.add(id);
    await sweep();
    expect(await directory.lookup("unreachable")).toMatchObject({ state: "suspect" });
    await later("unreachable", 6_000);
    expect(await directory.lookup("unreachable")).toMatchObject({ state: "suspect" });
    await later("unreachable", 11_000);
    expect(await directory.lookup("unreachable")).toMatchObject({ state: "unreachable", id });
    expect(await kinds("unreachable")).toEqual(["created", "unreachable noconnection"]);
    deaf.clear();
    await later("unreachable", 21_000);
    expect(await directory.lookup("unreachable")).toMatchObject({ state: "running", id });
    expect(await kinds("unreachable")).toEqual(["created", "unreachable noconnection", "reachable"]);
  });

  it("a probe storm frees no name, and gives no verdict on any", async () => {
    // Enough of one partition's names to be a storm there.
    const names = namesOfOnePartition("storm", 24);
    const ids = new Map(await Promise.all(names.map(async (name) => [name, await create(name)] as const)));
    for (const id of ids.values()) deaf.add(id);
    // More often than the sweep insists on one batch.
    for (let round = 0; round < 6; round += 1) await later("storm-0", HOUR_MS + 1_000);
    for (const [name, id] of ids) {
      expect(await directory.lookup(name)).toMatchObject({ state: "running", id, probe: null });
    }
    deaf.clear();
    await later("storm-0", HOUR_MS + 1_000);
    for (const name of names) {
      expect((await directory.lookup(name))?.probe).toMatchObject({ entries: 0 });
      await directory.stop(name);
    }
  });

  it("ten that are broken for good are a storm each time they are looked at, and are judged in the end", async () => {
    const names = namesOfOnePartition("broken", 24);
    const ids = new Map(await Promise.all(names.map(async (name) => [name, await create(name)] as const)));
    const broken = names.slice(0, 12);
    await Promise.all(names.slice(12).map((name) => ask(directory, name, (bucket) => bucket.totals())));
    for (const name of broken.slice(0, 6)) deaf.add(ids.get(name) ?? "");
    await later("broken-0", HOUR_MS + 1_000);
    for (const name of broken) deaf.add(ids.get(name) ?? "");
    for (const name of broken) await doubt(name);
    let last = 0;
    for (let round = 0; round < 12; round += 1) {
      await later("broken-0", 400_000);
      const next = await nextCheck("broken-0");
      // Later and later, and never at once.
      expect(next).toBeGreaterThan(Math.max(last, Date.now() + clock.aheadMs));
      last = next;
    }
    for (const name of broken) expect(await directory.lookup(name)).toMatchObject({ state: "unreachable" });
    deaf.clear();
    await Promise.all(names.map((name) => directory.stop(name)));
  });

  it("what is shown of one that is not reached is as old as it is", async () => {
    const id = await create("old-news");
    await sweep();
    const before = (await directory.lookup("old-news"))?.probe?.at;
    deaf.add(id);
    await sweep();
    await sweep();
    const found = await directory.lookup("old-news");
    expect([found?.state, found?.probe?.at]).toEqual(["suspect", before]);
  });

  it("callers do not make a suspect fail more often than the registry looks", async () => {
    const id = await create("harried");
    deaf.add(id);
    for (let caller = 0; caller < 10; caller += 1) await doubt("harried");
    expect(await directory.lookup("harried")).toMatchObject({ state: "suspect", attempts: 1 });
  });

  it("a bucket that is being wiped has not said that it is gone", async () => {
    const id = (await directory.create("half-wiped", { restart: "temporary" })).registration.id;
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    setFailpointHook((_, point) => (point === "end: terminated, not wiped" ? held : undefined));
    const exit = exitBucket(directory, "half-wiped", "shutdown");
    await doubt("half-wiped");
    expect(await rowOf("half-wiped")).toMatchObject({ state: "running", id });
    release();
    expect(await exit).toBe(true);
    setFailpointHook();
    expect(await kinds("half-wiped")).toEqual(["created", "DOWN shutdown"]);
  });

  it("a caller that can't reach a bucket makes the registry look, and that is all", async () => {
    const id = await create("doubted");
    deaf.add(id);
    const caller = isolate();
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(ask(caller.directory, "doubted", (bucket) => bucket.totals())).rejects.toMatchObject({
        reason: "noconnection",
      });
    }
    await caller.settled();
    expect(await directory.lookup("doubted")).toMatchObject({ state: "suspect", id });
  });
});

describe("suspicion", () => {
  it("a caller that hears noproc is answered when the name is free", async () => {
    const id = await create("suspected");
    const caller = isolate();
    await ask(caller.directory, "suspected", (bucket) => bucket.totals());
    await wipeBehind(id);
    expect(await ask(caller.directory, "suspected", (bucket) => bucket.totals())).toBeUndefined();
    expect(await kinds("suspected")).toEqual(["created", "DOWN noproc"]);
    expect(await caller.directory.create("suspected")).toMatchObject({ created: true });
  });
});

describe("a partition that wakes", () => {
  it("sets the timers that follow from its table and its settings", async () => {
    await create("timers-lost");
    await runInDurableObject(registryOf("timers-lost"), async (_, { storage }) => {
      storage.kv.delete("otp:timer/check");
      storage.kv.delete("otp:timer/sweep");
      storage.sql.exec("UPDATE names SET state = 'stopping', check_at = 1 WHERE name = 'timers-lost'");
      await storage.deleteAlarm();
    });
    await abortObject(registryOf("timers-lost"));
    const timers = await runInDurableObject(registryOf("timers-lost"), (_, { storage }) =>
      [...storage.kv.list({ prefix: "otp:timer/" })].map(([key]) => key),
    );
    expect(timers).toEqual(["otp:timer/check", "otp:timer/sweep"]);
    await runDurableObjectAlarm(registryOf("timers-lost"));
    expect(await rowOf("timers-lost")).toBeUndefined();
  });
});

describe("the orphan check", () => {
  it("an object that nobody names wipes itself", async () => {
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

  it("a bucket that is known lives, and asks again", async () => {
    const id = await create("known");
    clock.aheadMs += 2 * DAY_MS;
    await runDurableObjectAlarm(bucketOf(id));
    expect(await bucketState(id)).toMatchObject({ incarnation: (await rowOf("known"))?.incarnation });
    const alarm = await runInDurableObject(bucketOf(id), (_, { storage }) => storage.getAlarm());
    expect(alarm).toBeGreaterThan(Date.now() + clock.aheadMs);
  });

  it("a registry that has lost its storage is no authority: nothing is wiped on its word", async () => {
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

describe("list", () => {
  it("shows what the last probe brought, and wakes no bucket", async () => {
    const id = await create("listed");
    await sweep();
    await evictDurableObject(bucketOf(id));
    expect(await directory.list({ prefix: "listed", after: "", limit: 1 })).toMatchObject([
      { probe: { entries: 0 } },
    ]);
    await expect(evictDurableObject(bucketOf(id))).rejects.toThrow();
  });
});
