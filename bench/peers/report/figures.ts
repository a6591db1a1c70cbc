/** Figures over the rounds of a case. */

import { median } from "../../load/measure.ts";
import type { CaseOutcome, Entry } from "../tournament.ts";

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export type Figure = "rate" | "p50" | "p99";

/** @returns undefined without figures, for example if it has failed */
export function spreadOf(entry: Entry, figure: Figure): Spread | undefined {
  const numbers = entry.rounds.map((round) => round[figure]).filter((number) => number !== undefined);
  if (numbers.length === 0) return undefined;
  return { median: median(numbers), min: Math.min(...numbers), max: Math.max(...numbers) };
}

/**
 * The median of the ratios of one to the other, round by round, because the machine's load changes between rounds.
 * @returns undefined if either has no figures
 */
export function ratioOf(one: Entry, other: Entry, figure: Figure): number | undefined {
  const ratios = one.rounds.flatMap((round, at) => {
    const [above, below] = [round[figure], other.rounds[at]?.[figure]];
    return above === undefined || below === undefined ? [] : [above / below];
  });
  return ratios.length === 0 ? undefined : median(ratios);
}

export function entryOf({ entries }: CaseOutcome, contestant: string): Entry | undefined {
  return entries.find((entry) => entry.contestant === contestant);
}
