/** What a fuzzer is, and how one is run. */

import fc from "fast-check";
import type { Addresses } from "../../e2e/support/server.ts";

/** Counts what was asked, and what came of it. */
export class Tally {
  readonly #counts = new Map<string, Map<string, number>>();

  count(what: string, outcome: string): void {
    const outcomes = this.#counts.get(what) ?? new Map<string, number>();
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    this.#counts.set(what, outcomes);
  }

  get total(): number {
    return [...this.#counts.values()]
      .flatMap((outcomes) => [...outcomes.values()])
      .reduce((a, b) => a + b, 0);
  }

  /** A line for each operation, with its outcomes. */
  lines(): string[] {
    return [...this.#counts]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([what, outcomes]) => {
        const counted = [...outcomes].toSorted(([a], [b]) => a.localeCompare(b));
        return `  ${what.padEnd(20)} ${counted.map(([outcome, count]) => `${outcome}: ${count}`).join("  ")}`;
      });
  }
}

export interface Prepared {
  readonly property: fc.IAsyncPropertyWithHooks<unknown>;
  readonly close: () => void;
}

/** Prepares random runs against a server. Names of buckets begin with `namespace`. */
export type Fuzzer = (server: Addresses, namespace: string, tally: Tally) => Promise<Prepared>;

export interface RunOptions {
  readonly seed: number;
  readonly runs: number;
  /** Milliseconds after which no further run is begun, and a failure is not made smaller any more. */
  readonly limitMs?: number;
}

/**
 * @returns what failed, as small as it could be made, and how to repeat it; undefined if nothing did
 */
export async function failureOf(
  { property }: Prepared,
  { seed, runs, limitMs }: RunOptions,
): Promise<string | undefined> {
  const details = await fc.check(property, {
    seed,
    numRuns: runs,
    ...(limitMs === undefined ? {} : { interruptAfterTimeLimit: limitMs }),
  });
  if (!details.failed || details.counterexample === null) return undefined;
  const { errorInstance, numShrinks } = details;
  const message = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  return `${message}\n(seed ${seed}, run ${details.numRuns}, made smaller ${numShrinks} times)`;
}
