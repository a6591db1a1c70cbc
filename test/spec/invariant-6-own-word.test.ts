/**
 * Invariant 6: only a bucket's own word ends it. Overload, timeouts and network errors make a bucket suspect, then
 * unreachable; they never free its name or touch its data. When many probes fail at once, the prober itself is taken to
 * be at fault, and gives no verdict.
 */

import { runInDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { setFailpointHook } from "../../src/otp/failpoint.ts";
import {
  isStorm,
  judge,
  type ProbeResult,
  RECHECK_LIMIT_MS,
  recheckDelay,
} from "../../src/registry/liveness.ts";
import { ask, create, exitBucket, isolate } from "../support/directories.ts";
import { kindsOf, registryOf, rowOf } from "../support/faults.ts";
import { doubt, HOUR_MS, later, namesOfOnePartition, sweep } from "../support/looking.ts";
import { clock, deaf } from "../support/objects.ts";

const RECHECK_MS = 5_000;
const totals = { entries: 1, bytes: 2, revision: 3 };
const alive: ProbeResult = { kind: "alive", totals };
const gone: ProbeResult = { kind: "gone", reason: "noproc" };
const failed: ProbeResult = { kind: "failed", reason: "timeout" };

const results = fc.constantFrom(alive, gone, failed);
const verdict = (result: ProbeResult, attempts = 0) => judge([{ result, attempts }])[0];

const { directory } = isolate();

// Failed probes are logged, and are what is tested here.
beforeAll(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));
afterEach(() => deaf.clear());

/** When the partition of a name looks at its suspects next. */
const nextCheck = (name: string): Promise<number> =>
  runInDurableObject(registryOf(name), (_, { storage }) =>
    Number(storage.kv.get<{ due: number }>("otp:timer/check")?.due),
  );

describe("invariant 6: the verdict on a batch of probes", () => {
  it("a name is freed if and only if the bucket itself says that it is gone", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ result: results, attempts: fc.nat(20) })), (batch) => {
        const verdicts = judge(batch);
        expect(verdicts.map(({ kind }) => kind === "free")).toEqual(
          batch.map(({ result }) => result.kind === "gone"),
        );
      }),
    );
  });

  it("a bucket that does not answer is suspect, then unreachable, and probed less and less often", () => {
    const waits = [1, 2, 3, 51].map((failures) => recheckDelay(failures, RECHECK_MS));
    expect([0, 1, 2, 50].map((attempts) => verdict(failed, attempts))).toEqual([
      { kind: "suspect", reason: "timeout" },
      { kind: "suspect", reason: "timeout" },
      { kind: "unreachable", reason: "timeout" },
      { kind: "unreachable", reason: "timeout" },
    ]);
    expect(waits).toEqual([5_000, 10_000, 20_000, RECHECK_LIMIT_MS]);
  });

  it("a bucket that answers is alive, however often it failed before", () => {
    expect(verdict(alive, 50)).toEqual(alive);
  });

  it("if more than a third of ten or more probes fail, the failed ones get no verdict", () => {
    fc.assert(
      fc.property(fc.array(results, { maxLength: 60 }), (batch) => {
        const failures = batch.filter(({ kind }) => kind === "failed").length;
        const storm = batch.length >= 10 && failures > batch.length / 3;
        expect(isStorm(batch)).toBe(storm);
        const verdicts = judge(batch.map((result) => ({ result, attempts: 0 })));
        batch.forEach((result, at) => {
          if (result.kind === "failed") expect(verdicts[at]?.kind).toBe(storm ? "held" : "suspect");
        });
      }),
    );
  });

  it("exactly a third of a batch is no storm, and nine of nine are too few for one", () => {
    const batch = (failures: number, size: number): ProbeResult[] =>
      Array.from({ length: size }, (_, at) => (at < failures ? failed : alive));
    expect(isStorm(batch(4, 12))).toBe(false);
    expect(isStorm(batch(5, 12))).toBe(true);
    expect(isStorm(batch(9, 9))).toBe(false);
    expect(isStorm(batch(10, 10))).toBe(true);
  });
});

describe("invariant 6: only a bucket's own word ends it", () => {
  it("a bucket that does not answer is suspect, then unreachable, and its name is kept", async () => {
    const id = await create(directory, "unreachable");
    deaf.add(id);
    await sweep();
    expect(await directory.lookup("unreachable")).toMatchObject({ state: "suspect" });
    await later("unreachable", 6_000);
    expect(await directory.lookup("unreachable")).toMatchObject({ state: "suspect" });
    await later("unreachable", 11_000);
    expect(await directory.lookup("unreachable")).toMatchObject({ state: "unreachable", id });
    expect(await kindsOf("unreachable")).toEqual(["created", "unreachable noconnection"]);
    deaf.clear();
    await later("unreachable", 21_000);
    expect(await directory.lookup("unreachable")).toMatchObject({ state: "running", id });
    expect(await kindsOf("unreachable")).toEqual(["created", "unreachable noconnection", "reachable"]);
  });

  it("a probe storm frees no name, and gives no verdict", async () => {
    // Enough of one partition's names to be a storm there.
    const names = namesOfOnePartition("storm", 24);
    const ids = new Map(
      await Promise.all(names.map(async (name) => [name, await create(directory, name)] as const)),
    );
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

  it("buckets that stay broken are judged in the end, although their checks together look like a storm", async () => {
    const names = namesOfOnePartition("broken", 24);
    const ids = new Map(
      await Promise.all(names.map(async (name) => [name, await create(directory, name)] as const)),
    );
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

  it("totals of a bucket that can't be reached are shown with their true age", async () => {
    const id = await create(directory, "old-news");
    await sweep();
    const before = (await directory.lookup("old-news"))?.probe?.at;
    deaf.add(id);
    await sweep();
    await sweep();
    const found = await directory.lookup("old-news");
    expect([found?.state, found?.probe?.at]).toEqual(["suspect", before]);
  });

  it("reports from callers do not count as further failures of a suspect", async () => {
    const id = await create(directory, "harried");
    deaf.add(id);
    for (let caller = 0; caller < 10; caller += 1) await doubt("harried");
    expect(await directory.lookup("harried")).toMatchObject({ state: "suspect", attempts: 1 });
  });

  it("a bucket that is being wiped keeps its name until it says that it is gone", async () => {
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
    expect(await kindsOf("half-wiped")).toEqual(["created", "DOWN shutdown"]);
  });

  it("a caller that can't reach a bucket makes the registry probe it, and no more", async () => {
    const id = await create(directory, "doubted");
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
