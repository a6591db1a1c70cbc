/** Whom to probe when, and what follows from the answers. Pure. */

import type { Totals } from "../model/totals.ts";

/** What came of a probe. */
export type ProbeResult =
  /** The bucket lives; one that is being restarted says no more than that. */
  | { readonly kind: "alive"; readonly totals: Totals | undefined }
  /** The bucket itself has said that it does not live: the one word that frees a name. */
  | { readonly kind: "gone"; readonly reason: string }
  /** Anything else: overload, a deadline, a broken connection. It says nothing of the bucket. */
  | {
      readonly kind: "failed";
      /** Undefined where it is known why: what is known is not to be overwritten. */
      readonly reason: string | undefined;
    };

/** What is done about a bucket. */
export type Verdict =
  | { readonly kind: "alive"; readonly totals: Totals | undefined }
  | { readonly kind: "free"; readonly reason: string }
  | {
      readonly kind: "suspect" | "unreachable";
      readonly reason: string | undefined;
      readonly checkInMs: number;
    }
  /** Too many failed at once: the prober is ill, and says nothing of those that failed. */
  | { readonly kind: "held"; readonly checkInMs: number };

/** A probe's result beside what is known of failures before it. */
export interface Probed {
  readonly result: ProbeResult;
  /** Probes of this bucket that have failed in a row before this one. */
  readonly attempts: number;
}

/** A batch smaller than this is never held back: two of three may well be broken. */
export const STORM_BATCH = 10;
/** The part of a batch that may fail before the prober doubts itself. */
export const STORM_PART = 1 / 3;
/** Failures in a row after which a suspect is unreachable. */
export const UNREACHABLE_AFTER = 3;
/**
 * Failures in a row after which a bucket is no longer held back with others. Those that are probed again
 * because they failed are no fair sample: where ten are broken for good, each of their batches is a storm.
 */
export const HELD_UNTIL = 6;
/** The longest wait between two probes of one that is not reached, in milliseconds. */
export const RECHECK_LIMIT_MS = 300_000;
/** The shortest wait between two batches of a sweep, in milliseconds. */
export const SWEEP_TICK_MS = 1_000;

/** The wait before the next look at a bucket of which this many in a row have failed, in milliseconds. */
export function recheckDelay(failures: number, recheckMs: number): number {
  return Math.min(recheckMs * 2 ** Math.max(0, failures - 1), RECHECK_LIMIT_MS);
}

/** Whether so many of a batch have failed that it says more of the prober than of the buckets. */
export function isStorm(batch: readonly ProbeResult[]): boolean {
  const failed = batch.filter(({ kind }) => kind === "failed").length;
  return batch.length >= STORM_BATCH && failed > batch.length * STORM_PART;
}

/** The verdicts on a batch that was probed together, in its order. */
export function judge(batch: readonly Probed[], recheckMs: number): Verdict[] {
  const storm = isStorm(batch.map(({ result }) => result));
  return batch.map(({ result, attempts }): Verdict => {
    switch (result.kind) {
      case "alive":
        return result;
      case "gone":
        return { kind: "free", reason: result.reason };
      case "failed": {
        if (storm && attempts < HELD_UNTIL)
          return { kind: "held", checkInMs: recheckDelay(attempts + 1, recheckMs) };
        const failures = attempts + 1;
        return {
          kind: failures >= UNREACHABLE_AFTER ? "unreachable" : "suspect",
          reason: result.reason,
          checkInMs: recheckDelay(failures, recheckMs),
        };
      }
    }
  });
}

/**
 * The wait between two batches of a sweep such that each of `names` is seen once in a period, in
 * milliseconds. With more names than `periodMs / SWEEP_TICK_MS` batches hold, the sweep takes longer.
 */
export function sweepDelay(names: number, batch: number, periodMs: number): number {
  const batches = Math.max(1, Math.ceil(names / batch));
  return Math.max(SWEEP_TICK_MS, Math.floor(periodMs / batches));
}
