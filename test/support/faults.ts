/** Faults, and what has to hold when they are over. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { setFailpointHook } from "../../src/otp/failpoint.ts";
import type { RegistryEvent } from "../../src/model/registry-event.ts";
import { Events } from "../../src/registry/events.ts";
import type { Registration } from "../../src/model/registration.ts";
import { Names } from "../../src/registry/names.ts";
import { partitionOf } from "../../src/rpc/partition.ts";
import { partitionStub } from "../../src/rpc/partition-stub.ts";
import { isolate, PARTITIONS } from "./directories.ts";
import { bucketIds, clock, type TestBucket, type TestRegistry } from "./objects.ts";

/** `throw`: an exception. `abort`: the object ends, and what is not on disk with it. `evict`: it ends with all on disk. */
export type Fault = "throw" | "abort" | "evict";
export const FAULTS: readonly Fault[] = ["throw", "abort", "evict"];

const sources = import.meta.glob<string>("../../src/**/*.ts", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** The names of all failpoints, as they stand in the source. */
export const FAILPOINT_NAMES: readonly string[] = Object.values(sources)
  .flatMap((source) => [...source.matchAll(/failpoint\(this\.\S+, "([^"]+)"\)/g)])
  .map(([, name = ""]) => name);

/** Makes the first object that comes to this point fail. @returns whether one has. */
export function armFailpoint(point: string, fault: Fault): () => boolean {
  let hit = false;
  setFailpointHook((ctx, reached) => {
    if (reached !== point || hit) return;
    hit = true;
    if (fault === "throw") throw new Error(`failpoint ${point}`);
    if (fault === "abort") ctx.abort(`failpoint ${point}`);
    return abortOnDisk(ctx, point);
  });
  return () => hit;
}

/** As an eviction or a deployment does it: the memory goes, what was written stays. */
async function abortOnDisk(ctx: DurableObjectState, point: string): Promise<void> {
  await ctx.storage.sync();
  ctx.abort(`failpoint ${point}`);
  await new Promise(() => undefined);
}

export function registryOf(name: string): DurableObjectStub<TestRegistry> {
  return env.REGISTRY.get(partitionStub(env.REGISTRY, partitionOf(name, PARTITIONS)).id);
}

export function bucketOf(id: string): DurableObjectStub<TestBucket> {
  return env.BUCKET.get(env.BUCKET.idFromString(id));
}

/** What the partition's table says of a name. */
export function rowOf(name: string): Promise<Registration | undefined> {
  return runInDurableObject(registryOf(name), (_, { storage }) =>
    hasTables(storage) ? new Names(storage.sql).find(name) : undefined,
  );
}

/** What the partition's log says of a name. */
export function eventsOf(name: string): Promise<RegistryEvent[]> {
  return runInDurableObject(registryOf(name), (_, { storage }) =>
    hasTables(storage) ? new Events(storage.sql, 1).after(0, 10_000, name) : [],
  );
}

/** The kinds of a name's events in their order, each with its reason if it has one: `DOWN normal`. */
export async function kindsOf(name: string): Promise<string[]> {
  return (await eventsOf(name)).map(({ kind, reason }) => (reason === null ? kind : `${kind} ${reason}`));
}

/** Ends an object at once, as a crash of the machine does. */
export async function abortObject(stub: DurableObjectStub<TestBucket | TestRegistry>): Promise<void> {
  await runInDurableObject(stub, async (_, ctx) => {
    await ctx.storage.sync();
    ctx.abort("made to end");
  }).catch(() => undefined);
}

/** Wipes a bucket's storage without a notice to anyone. */
export async function wipeBehind(id: string): Promise<void> {
  await runInDurableObject(bucketOf(id), (_, ctx) => ctx.storage.deleteAll());
  await abortObject(bucketOf(id));
}

/** Longer than any back-off, a sweep's period, and an orphan check's. */
const LATER_MS = [400_000, 400_000, 4_000_000, 200_000_000, 400_000];

/** Lets time go by, and runs the alarms of these objects as they come due. */
export async function runAlarms(
  names: readonly string[],
  ids: Iterable<string>,
  laterMs: readonly number[] = LATER_MS,
): Promise<void> {
  const registries = new Map(names.map((name) => [partitionOf(name, PARTITIONS), registryOf(name)]));
  for (const ms of laterMs) {
    clock.aheadMs += ms;
    // Fresh stubs: one on which a call has failed stays broken.
    for (const id of ids) await runDurableObjectAlarm(bucketOf(id)).catch(() => undefined);
    for (const partition of registries.keys()) {
      await runDurableObjectAlarm(partitionStub(env.REGISTRY, partition)).catch(() => undefined);
    }
  }
}

export interface BucketState {
  readonly id: string;
  readonly incarnation: string | undefined;
  /** Keys and tables that it keeps. */
  readonly kept: number;
}

export function bucketState(id: string): Promise<BucketState> {
  return runInDurableObject(bucketOf(id), (_, { storage }) => {
    const life = storage.kv.get<{ args: { incarnation: string } }>("otp:process");
    const tables = storage.sql
      .exec("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'")
      .toArray();
    return { id, incarnation: life?.args.incarnation, kept: [...storage.kv.list()].length + tables.length };
  });
}

/** Ids of buckets' objects that have run since then. */
export function bucketsSince(before: ReadonlySet<string>): string[] {
  return [...bucketIds].filter((id) => !before.has(id));
}

/**
 * What has to hold for a name and all objects that ever were its buckets, once due alarms have run.
 * The numbers are those of the design's invariants.
 */
export async function expectInvariants(name: string, ids: readonly string[]): Promise<void> {
  const row = await rowOf(name);
  const states = await Promise.all(ids.map(bucketState));
  const living = states.filter(({ incarnation }) => incarnation !== undefined);
  const events = await eventsOf(name);
  // 4. Nothing leaks: nothing is between two states, and what is not named keeps nothing.
  expect(["running", undefined], "4: settled").toContain(row?.state);
  expect(
    states.filter(({ id, kept }) => id !== row?.id && kept > 0),
    "4: wiped",
  ).toEqual([]);
  // 2. One: the bucket that has the name lives, and no other one.
  expect(
    living.map(({ id, incarnation }) => [id, incarnation]),
    "2: one",
  ).toEqual(row === undefined ? [] : [[row.id, row.incarnation]]);
  // 1. Truth: every caller, however stale, reaches that one or none.
  const found = await isolate().directory.lookup(name);
  expect(found?.incarnation, "1: truth").toBe(row?.incarnation);
  // 5. DOWN arrives: once for each that was created and is no more.
  const created = events.filter(({ kind }) => kind === "created").map(({ incarnation }) => incarnation);
  const down = events.filter(({ kind }) => kind === "DOWN").map(({ incarnation }) => incarnation);
  expect(down.length, "5: once").toBe(new Set(down).size);
  expect(
    created.filter((incarnation) => incarnation !== row?.incarnation && !down.includes(incarnation)),
    "5: none missing",
  ).toEqual([]);
}

function hasTables(storage: DurableObjectStorage): boolean {
  return storage.sql.exec("SELECT 1 FROM sqlite_schema WHERE name = 'names'").toArray().length > 0;
}
