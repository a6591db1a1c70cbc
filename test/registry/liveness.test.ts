import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isStorm,
  judge,
  RECHECK_LIMIT_MS,
  recheckDelay,
  SWEEP_TICK_MS,
  sweepDelay,
  type ProbeResult,
} from "../../src/registry/liveness.ts";

const RECHECK_MS = 5_000;
const totals = { entries: 1, bytes: 2, revision: 3 };
const alive: ProbeResult = { kind: "alive", totals };
const gone: ProbeResult = { kind: "gone", reason: "noproc" };
const failed: ProbeResult = { kind: "failed", reason: "timeout" };

const results = fc.constantFrom(alive, gone, failed);
const verdict = (result: ProbeResult, attempts = 0) => judge([{ result, attempts }], RECHECK_MS)[0];

describe("invariant 6: only the bucket's own word kills it", () => {
  it("a name is freed where the bucket says itself that it is gone, and nowhere else", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ result: results, attempts: fc.nat(20) })), (batch) => {
        const verdicts = judge(batch, RECHECK_MS);
        expect(verdicts.map(({ kind }) => kind === "free")).toEqual(
          batch.map(({ result }) => result.kind === "gone"),
        );
      }),
    );
  });

  it("one that does not answer is suspect, then unreachable, and probed later and later", () => {
    expect(verdict(failed, 0)).toEqual({ kind: "suspect", reason: "timeout", checkInMs: 5_000 });
    expect(verdict(failed, 1)).toEqual({ kind: "suspect", reason: "timeout", checkInMs: 10_000 });
    expect(verdict(failed, 2)).toEqual({ kind: "unreachable", reason: "timeout", checkInMs: 20_000 });
    expect(verdict(failed, 50)).toMatchObject({ kind: "unreachable", checkInMs: RECHECK_LIMIT_MS });
  });

  it("one that answers is well, however often it did not", () => {
    expect(verdict(alive, 50)).toEqual(alive);
  });

  it("of a batch of ten or more of which more than a third fails, those that failed are held back", () => {
    fc.assert(
      fc.property(fc.array(results, { maxLength: 60 }), (batch) => {
        const failures = batch.filter(({ kind }) => kind === "failed").length;
        const storm = batch.length >= 10 && failures > batch.length / 3;
        expect(isStorm(batch)).toBe(storm);
        const verdicts = judge(
          batch.map((result) => ({ result, attempts: 0 })),
          RECHECK_MS,
        );
        batch.forEach((result, at) => {
          if (result.kind === "failed") expect(verdicts[at]?.kind).toBe(storm ? "held" : "suspect");
        });
      }),
    );
  });

  it("a third of a batch is not too many, and nine of nine are not enough", () => {
    const batch = (failures: number, size: number): ProbeResult[] =>
      Array.from({ length: size }, (_, at) => (at < failures ? failed : alive));
    expect(isStorm(batch(4, 12))).toBe(false);
    expect(isStorm(batch(5, 12))).toBe(true);
    expect(isStorm(batch(9, 9))).toBe(false);
    expect(isStorm(batch(10, 10))).toBe(true);
  });
});

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
