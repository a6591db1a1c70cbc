/** Every failpoint × every fault × every way of a name: whatever is cut off is finished or undone. */

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { setFailpointHook } from "../../src/otp/failpoint.ts";
import { Exit } from "../../src/otp/exit.ts";
import { call } from "../../src/otp/call.ts";
import { isolate, type Isolate } from "../support/directories.ts";
import {
  armFailpoint,
  bucketOf,
  bucketsSince,
  expectInvariants,
  FAILPOINT_NAMES,
  FAULTS,
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
const again = <T>(ask: () => Promise<T>): Promise<T> =>
  ask().catch((error: unknown) => {
    if (error instanceof Exit && error.reason === "noconnection") return ask();
    throw error;
  });

const ways: Readonly<Record<string, Way>> = {
  create: {
    before: undefined,
    run: ({ directory }, name) => directory.create(name, { restart: "temporary" }),
    ends: false,
  },
  stop: { before: "temporary", run: ({ directory }, name) => directory.stop(name), ends: true },
  exit: { before: "temporary", run: ({ directory }, name) => directory.exit(name, "shutdown"), ends: true },
  crash: { before: "temporary", run: (_, name) => crash(name), ends: true },
  "exit of a permanent one": {
    before: "permanent",
    run: ({ directory }, name) => directory.exit(name, "kill"),
    ends: false,
  },
};

const hits = new Map<string, number>();
const table: Record<string, { cases: number; reached: number; acknowledged: number; passed: number }> = {};

// What is made to fail is logged by those who meet it.
beforeAll(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));
afterEach(() => setFailpointHook());
afterAll(() => {
  console.table(table);
  const cases = Object.values(table).reduce((sum, row) => sum + row.cases, 0);
  const reached = Object.values(table).reduce((sum, row) => sum + row.reached, 0);
  const passed = Object.values(table).reduce((sum, row) => sum + row.passed, 0);
  console.log(
    `crash matrix: ${FAILPOINT_NAMES.length} failpoints, ${cases} cases, in ${reached} of them the point lies on the way, ${passed} passed`,
  );
});

describe("failpoints", () => {
  it("are at least 24, each with a name of its own", () => {
    expect(new Set(FAILPOINT_NAMES).size).toBe(FAILPOINT_NAMES.length);
    expect(FAILPOINT_NAMES.length).toBeGreaterThanOrEqual(24);
  });
});

describe("the first create of a partition", () => {
  const point = "create: partitions settled, partition not started";
  it.each(FAULTS)("is finished by the next one when it is cut off by %s", async (fault) => {
    // Names in partitions of their own, as long as there are any that were never used.
    const name = `first-${"abc"[FAULTS.indexOf(fault)]}`;
    const isHit = armFailpoint(point, fault);
    await isolate()
      .directory.create(name)
      .catch(() => undefined);
    if (isHit()) hits.set(point, 1);
    setFailpointHook();
    expect(await isolate().directory.create(name)).toMatchObject({ registration: { name } });
  });
});

describe.each(Object.entries(ways))(
  "invariants 1, 2, 4 and 5: a cut off %s",
  (way, { before, run, ends }) => {
    const counts = (table[way] = { cases: 0, reached: 0, acknowledged: 0, passed: 0 });
    let number = 0;

    describe.each(FAILPOINT_NAMES)("at “%s”", (point) => {
      it.each(FAULTS)("by %s", async (fault) => {
        number += 1;
        counts.cases += 1;
        const name = `${way.replaceAll(" ", "-")}-${number}`;
        const earlier = new Set(bucketIds);
        const caller = isolate();
        if (before !== undefined) {
          await caller.directory.create(name, { restart: before });
          await caller.directory.call(name, (bucket) => bucket.put("milk", "1"));
        }
        const isHit = armFailpoint(point, fault);
        const acknowledged = await run(caller, name).then(
          () => true,
          () => false,
        );
        // 1: from the moment in which the end is acknowledged, nobody finds the bucket.
        if (acknowledged && ends) {
          expect(await again(() => isolate().directory.lookup(name))).toBeUndefined();
          expect(
            await again(() => caller.directory.call(name, (bucket) => bucket.get("milk", {}))),
          ).toBeUndefined();
        }
        await runAlarms([name], bucketsSince(earlier));
        if (isHit()) {
          counts.reached += 1;
          hits.set(point, (hits.get(point) ?? 0) + 1);
        }
        if (acknowledged) counts.acknowledged += 1;
        setFailpointHook();
        await expectInvariants(name, bucketsSince(earlier));
        if (before === "permanent") {
          // 3: nothing is lost by a restart.
          expect(await caller.directory.call(name, (bucket) => bucket.get("milk", {}))).toMatchObject({
            entry: { value: "1" },
          });
        }
        // Whatever was cut off, the name can be used, and is empty if it is new.
        const { created } = await caller.directory.create(name);
        if (created) {
          expect(await caller.directory.call(name, (bucket) => bucket.totals())).toMatchObject({
            entries: 0,
          });
        }
        await caller.directory.stop(name);
        counts.passed += 1;
      });
    });
  },
);

describe("every failpoint", () => {
  it("was reached", () => {
    expect(FAILPOINT_NAMES.filter((name) => !hits.has(name))).toEqual([]);
  });
});
