/** Whether the goals were met. */

import type { Goal } from "./goals.ts";
import { entryOf, ratioOf } from "./report/figures.ts";
import type { Outcome } from "./tournament.ts";

export interface Verdict extends Goal {
  /** The measured ratio; undefined if either side has no figures. */
  readonly measured: number | undefined;
  readonly verdict: "met" | "missed" | "not measured";
}

/** @returns verdicts on the goals of these workloads */
export function judge(goals: readonly Goal[], outcomes: readonly Outcome[]): Verdict[] {
  return goals.flatMap((goal) => {
    const outcome = outcomes.find(({ name }) => name === goal.workload);
    return outcome === undefined ? [] : [judgeOne(goal, outcome)];
  });
}

function judgeOne(goal: Goal, outcome: Outcome): Verdict {
  const held = outcome.cases.find(({ name }) => name === goal.case);
  const ours = held?.entries[0];
  const other = held === undefined ? undefined : entryOf(held, goal.to);
  // A goal of what does not exist would never be missed.
  if (held === undefined || ours === undefined) throw new Error(`no case ${goal.workload}: ${goal.case}`);
  if (ours.failed !== undefined) return { ...goal, measured: undefined, verdict: "missed" };
  const measured = other === undefined ? undefined : ratioOf(ours, other, goal.figure);
  if (measured === undefined) return { ...goal, measured, verdict: "not measured" };
  return { ...goal, measured, verdict: isMet(goal, measured) ? "met" : "missed" };
}

function isMet({ sense, ratio }: Goal, measured: number): boolean {
  switch (sense) {
    case "at least":
      return measured >= ratio;
    case "more than":
      return measured > ratio;
    case "at most":
      return measured <= ratio;
  }
}
