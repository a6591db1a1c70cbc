/** How often buckets are looked at. The verdicts on them are in test/spec/invariant-6-own-word.test.ts. */

import { describe, expect, it } from "vitest";
import { RECHECK_LIMIT_MS, recheckDelay, SWEEP_TICK_MS, sweepDelay } from "../../src/registry/liveness.ts";

const RECHECK_MS = 5_000;

describe("the sweep", () => {
  it("sees each bucket once in a period", () => {
    expect(sweepDelay(100, 100, 3_600_000)).toBe(3_600_000);
    expect(sweepDelay(1_000, 100, 3_600_000)).toBe(360_000);
    expect(sweepDelay(0, 100, 3_600_000)).toBe(3_600_000);
  });

  it("leaves a second between two batches, and takes longer where that is too slow", () => {
    expect(sweepDelay(1_000_000, 100, 3_600_000)).toBe(SWEEP_TICK_MS);
  });
});

describe("the wait before a recheck", () => {
  it("doubles up to its limit", () => {
    expect([1, 2, 3, 4].map((failures) => recheckDelay(failures, RECHECK_MS))).toEqual([
      5_000, 10_000, 20_000, 40_000,
    ]);
    expect(recheckDelay(1_000, RECHECK_MS)).toBe(RECHECK_LIMIT_MS);
  });
});
