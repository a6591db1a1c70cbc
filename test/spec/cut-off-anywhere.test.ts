/** Every way of a name × every failpoint on it × every fault: whatever is cut off is finished or undone. */

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { setFailpointHook } from "../../src/otp/failpoint.ts";
import { together } from "../../src/directory/directory.ts";
import { Exit, isRefusal } from "../../src/otp/exit.ts";
import { call } from "../../src/otp/call.ts";
import { partitionOf } from "../../src/rpc/partition.ts";
import { ask, exitBucket, type Isolate, isolate, PARTITIONS } from "../support/directories.ts";
import {
  armFailpoint,
  bucketOf,
  bucketsSince,
  expectInvariants,
  FAILPOINT_NAMES,
  FAULTS,
  registryOf,
  rowOf,
  runAlarms,
} from "../support/faults.ts";
import { bucketIds } from "../support/objects.ts";

interface Way {
  /** What the bucket is before; undefined: there is none. */
  readonly before: "permanent" | "temporary" | undefined;
  readonly run: (caller: Isolate, name: string) => Promise<unknown>;
  /** Whether an acknowledged run is the bucket's end. */
  readonly ends: boolean;
}

const crash = async (name: string): Promise<void> => {
  const row = await rowOf(name);
  try {
    await call(() => bucketOf(row?.id ?? "").crash("out of cheese"));
  } catch (error) {
    // A crash is acknowledged by its own exit; anything else says that its end is unknown.
    if (!(error instanceof Exit) || !JSON.stringify(error.reason).includes("out of cheese")) throw error;
  }
};

/** An object that was made to end after its answer may be met while it does: that is no answer at all. */
const again = <T>(request: () => Promise<T>): Promise<T> =>
  request().catch((error: unknown) => {
    if (error instanceof Exit && error.reason === "noconnection") return request();
    throw error;
  });

const KEYS = ["a", "b", "c", "d"];

/** So many calls that those that follow travel together. */
const CROWD = 9;

/** Puts that go to the bucket together, and a bad one among them. What is acknowledged is there. */
async function meet({ directory }: Isolate, name: string): Promise<void> {
  const crowd = Promise.allSettled(
    Array.from({ length: CROWD }, () => directory.call(name, together("get", "crowd", {}))),
  );
  const stale = { conditions: { ifMatch: ["stale"] } };
  const bad = directory.call(name, together("put", "b", "bad", stale));
  const puts = Promise.allSettled(KEYS.map((key) => directory.call(name, together("put", key, key))));
  const refused = await bad.catch((error: unknown) => error);
  const done = await puts;
  await crowd;
  for (const [index, { status }] of done.entries()) {
    const key = KEYS[index] as string;
    const found = await again(() => ask(directory, name, (bucket) => bucket.get(key, {})));
    if (status === "fulfilled") expect(found).toMatchObject({ entry: { value: key } });
    else if (found?.outcome === "found") expect(found.entry.value).toBe(key);
  }
  if (!isRefusal(refused, "precondition_failed")) throw refused;
  for (const outcome of done) if (outcome.status === "rejected") throw outcome.reason;
}

const ways: Readonly<Record<string, Way>> = {
  create: {
    before: undefined,
    run: ({ directory }, name) => directory.create(name, { restart: "temporary" }),
    ends: false,
  },
  stop: { before: "temporary", run: ({ directory }, name) => directory.stop(name), ends: true },
  exit: {
    before: "temporary",
    run: ({ directory }, name) => exitBucket(directory, name, "shutdown"),
    ends: true,
  },
  crash: { before: "temporary", run: (_, name) => crash(name), ends: true },
  "exit of a permanent one": {
    before: "permanent",
    run: ({ directory }, name) => exitBucket(directory, name, "kill"),
    ends: false,
  },
  "calls that meet": { before: "permanent", run: meet, ends: false },
};

/** The point that only the first create of a partition passes. */
const FIRST = "create: partitions settled, partition not started";

interface Gone {
  readonly caller: Isolate;
  /** Ids of the buckets' objects that have run since. */
  readonly ids: readonly string[];
  readonly acknowledged: boolean;
}

/** Goes a way with a name, under the hook that `arm` sets, until all that is due is done. */
async function go({ before, run, ends }: Way, name: string, arm: () => void): Promise<Gone> {
  const earlier = new Set(bucketIds);
  const caller = isolate();
  if (before !== undefined) {
    await caller.directory.create(name, { restart: before });
    await ask(caller.directory, name, (bucket) => bucket.put("milk", "1"));
  }
  arm();
  const acknowledged = await run(caller, name).then(
    () => true,
    () => false,
  );
  // 1: once the end is acknowledged, no lookup finds the bucket.
  if (acknowledged && ends) {
    expect(await again(() => isolate().directory.lookup(name))).toBeUndefined();
    expect(
      await again(() => ask(caller.directory, name, (bucket) => bucket.get("milk", {}))),
    ).toBeUndefined();
  }
  // Also of an object that hears of its stop first: the alarm of the partition makes it.
  await runAlarms([name], { [Symbol.iterator]: () => bucketsSince(earlier).values() });
  setFailpointHook();
  return { caller, ids: bucketsSince(earlier), acknowledged };
}

/** The failpoints that a way passes while nothing fails. Only there can it be cut off: a first fault has none before it. */
async function pointsOf(way: Way): Promise<readonly string[]> {
  const passed: { readonly point: string; readonly id: string }[] = [];
  const name = "recorded";
  const { caller, ids, acknowledged } = await go(way, name, () => {
    setFailpointHook((ctx, point) => void passed.push({ point, id: ctx.id.toString() }));
  });
  expect(acknowledged).toBe(true);
  await endOf(caller, name);
  // Not what objects of other names do meanwhile: nothing of this way leads there.
  const own = new Set([registryOf(name).id.toString(), ...ids]);
  const points = new Set(passed.filter(({ id }) => own.has(id)).map(({ point }) => point));
  return FAILPOINT_NAMES.filter((point) => points.has(point));
}

/** Stops a bucket, and waits until all that follows from it is done: the next record must not have it. */
async function endOf({ directory }: Isolate, name: string): Promise<void> {
  await directory.stop(name);
  await runAlarms([name], [...bucketIds]);
}

// Its partition is started, so that no way's record has the point that only the first create passes.
const first = isolate();
await first.directory.create("recorded");
await endOf(first, "recorded");
const recorded: [title: string, way: Way, points: readonly string[]][] = [];
for (const [title, way] of Object.entries(ways)) recorded.push([title, way, await pointsOf(way)]);

const hits = new Set<string>();
const table: Record<string, { points: number; cases: number; acknowledged: number; passed: number }> = {};

// What is made to fail is logged by those who meet it.
beforeAll(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));
afterEach(() => setFailpointHook());
afterAll(() => {
  const columns = ["points", "cases", "acknowledged", "passed"] as const;
  const line = (title: string, cells: readonly (string | number)[]): string =>
    title.padEnd(24) + cells.map((cell) => String(cell).padStart(14)).join("");
  const rows = Object.values(table);
  const sums = columns.map((column) => rows.reduce((sum, row) => sum + row[column], 0));
  console.log(
    [
      `crash matrix: ${FAILPOINT_NAMES.length} failpoints, ${FAULTS.length} faults, where the point lies on the way`,
      line("a cut off", columns),
      ...Object.entries(table).map(([title, row]) =>
        line(
          title,
          columns.map((column) => row[column]),
        ),
      ),
      line("all", sums),
    ].join("\n"),
  );
});

describe("failpoints", () => {
  it("are at least 24, each with a name of its own", () => {
    expect(new Set(FAILPOINT_NAMES).size).toBe(FAILPOINT_NAMES.length);
    expect(FAILPOINT_NAMES.length).toBeGreaterThanOrEqual(24);
  });
});

describe("the first create of a partition", () => {
  const used = new Set([partitionOf("recorded", PARTITIONS)]);
  /** A name in a partition that was never used. */
  const unused = (): string => {
    for (let number = 0; ; number += 1) {
      const name = `first-${number}`;
      if (used.has(partitionOf(name, PARTITIONS))) continue;
      used.add(partitionOf(name, PARTITIONS));
      return name;
    }
  };

  it.each(FAULTS)("is finished by the next one when it is cut off by %s", async (fault) => {
    const name = unused();
    const isHit = armFailpoint(FIRST, fault);
    await isolate()
      .directory.create(name)
      .catch(() => undefined);
    expect(isHit()).toBe(true);
    hits.add(FIRST);
    setFailpointHook();
    expect(await isolate().directory.create(name)).toMatchObject({ registration: { name } });
  });
});

describe.each(recorded)("invariants 1, 2, 4 and 5: a cut off %s", (title, way, points) => {
  const counts = (table[title] = { points: points.length, cases: 0, acknowledged: 0, passed: 0 });

  describe.each(points)("at “%s”", (point) => {
    it.each(FAULTS)("by %s", async (fault) => {
      counts.cases += 1;
      const name = `${title.replaceAll(" ", "-")}-${counts.cases}`;
      let isHit = (): boolean => false;
      const { caller, ids, acknowledged } = await go(way, name, () => {
        isHit = armFailpoint(point, fault);
      });
      expect(isHit(), "the point was reached").toBe(true);
      hits.add(point);
      if (acknowledged) counts.acknowledged += 1;
      await expectInvariants(name, ids);
      if (way.before === "permanent") {
        // 3: nothing is lost by a restart.
        expect(await ask(caller.directory, name, (bucket) => bucket.get("milk", {}))).toMatchObject({
          entry: { value: "1" },
        });
      }
      // Whatever was cut off, the name can be used, and is empty if it is new.
      const { created } = await caller.directory.create(name);
      if (created) {
        expect(await ask(caller.directory, name, (bucket) => bucket.totals())).toMatchObject({
          entries: 0,
        });
      }
      await caller.directory.stop(name);
      counts.passed += 1;
    });
  });
});

describe("every failpoint", () => {
  it("was reached", () => {
    expect(FAILPOINT_NAMES.filter((name) => !hits.has(name))).toEqual([]);
  });
});
