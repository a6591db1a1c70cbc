/**
 * Liveness: the verdicts on probed buckets, and the waits between probes. Pure.
 *
 * The algorithm:
 * - A successful probe: `alive`. A bucket's own report of its end: `free`; nothing else ever frees a name.
 * - A failed probe: `suspect`, and `unreachable` after {@link UNREACHABLE_AFTER} failures in a row. The wait before the
 *   next probe doubles with each failure, up to {@link RECHECK_LIMIT_MS}.
 * - A storm: if more than {@link STORM_PART} of a batch of at least {@link STORM_BATCH} fail together, the fault is
 *   probably the prober's. The failed ones get no verdict (`held`), unless they failed {@link HELD_UNTIL} times before.
 * - The sweep (prober.ts) probes running buckets in batches, evenly over its period: see {@link sweepDelay}.
 */

import type { Totals } from "../model/totals.ts";

/** The result of one probe. */
export type ProbeResult =
  /** The bucket lives. A bucket that is being restarted reports no totals. */
  | { readonly kind: "alive"; readonly totals: Totals | undefined }
  /** The bucket itself reported that it has ended. Only this frees a name. */
  | { readonly kind: "gone"; readonly reason: string }
  /** Any other failure: overload, a deadline, a broken connection. It does not prove that the bucket has ended. */
  | {
      readonly kind: "failed";
      /** Undefined if the registry has a better reason already, which must not be overwritten. */
      readonly reason: string | undefined;
    };

/** What the registry does about a bucket. */
export type Verdict =
  | { readonly kind: "alive"; readonly totals: Totals | undefined }
  | { readonly kind: "free"; readonly reason: string }
  | {
      readonly kind: "suspect" | "unreachable";
      readonly reason: string | undefined;
    }
  /** Too many probes failed at once: the prober may be at fault, so the failed ones get no verdict. */
  | { readonly kind: "held" };

/** A probe's result, with the bucket's earlier failures. */
export interface Probed {
  readonly result: ProbeResult;
  /** Failed probes of this bucket in a row, before this one. */
  readonly attempts: number;
}

/** The smallest batch that can be a storm: in a smaller one, two of three buckets may really be broken. */
const STORM_BATCH = 10;
/** The part of a batch that may fail before the batch is a storm. */
const STORM_PART = 1 / 3;
/** Failures in a row after which a suspect is unreachable. */
export const UNREACHABLE_AFTER = 3;
/**
 * Failures in a row after which a storm no longer holds back the verdict on a bucket. A batch of rechecks has only buckets
 * that failed before: with ten permanently broken buckets every such batch would be a storm, and none would get a verdict.
 */
const HELD_UNTIL = 6;
/** The longest wait between two probes of a bucket that fails, in milliseconds: five minutes. */
export const RECHECK_LIMIT_MS = 300_000;
/** The shortest wait between two batches of a sweep, in milliseconds. */
export const SWEEP_TICK_MS = 1_000;

/** The wait before the next check of a bucket after this many failures in a row, in milliseconds. */
export function recheckDelay(failures: number, recheckMs: number): number {
  return Math.min(recheckMs * 2 ** Math.max(0, failures - 1), RECHECK_LIMIT_MS);
}

/** Whether so many probes of a batch failed that the prober is the probable cause. */
export function isStorm(batch: readonly ProbeResult[]): boolean {
  const failed = batch.filter(({ kind }) => kind === "failed").length;
  return batch.length >= STORM_BATCH && failed > batch.length * STORM_PART;
}

/** The verdicts on a batch that was probed together, in the order of the batch. */
export function judge(batch: readonly Probed[]): Verdict[] {
  const storm = isStorm(batch.map(({ result }) => result));
  return batch.map(({ result, attempts }): Verdict => {
    switch (result.kind) {
      case "alive":
        return result;
      case "gone":
        return { kind: "free", reason: result.reason };
      case "failed": {
        if (storm && attempts < HELD_UNTIL) return { kind: "held" };
        return {
          kind: attempts + 1 >= UNREACHABLE_AFTER ? "unreachable" : "suspect",
          reason: result.reason,
        };
      }
    }
  });
}

/**
 * The wait between two batches of a sweep, in milliseconds, so that the sweep probes each of `names` buckets once in a
 * period. The wait is at least {@link SWEEP_TICK_MS}, so with very many names the sweep takes longer than its period.
 */
export function sweepDelay(names: number, batch: number, periodMs: number): number {
  const batches = Math.max(1, Math.ceil(names / batch));
  return Math.max(SWEEP_TICK_MS, Math.floor(periodMs / batches));
}
