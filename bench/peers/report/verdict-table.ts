/** The table of the goals, at the end of a run. */

import type { Verdict } from "../verdicts.ts";

export function printVerdicts(verdicts: readonly Verdict[]): void {
  if (verdicts.length === 0) return;
  console.log("\nGoals: ours to the other, median of the ratios of the rounds\n");
  console.table(
    Object.fromEntries(
      verdicts.map(({ workload, case: name, figure, sense, ratio, to, measured, verdict }) => [
        `${workload}, ${name}: ${figure} to ${to}`,
        {
          goal: `${sense} ${ratio.toFixed(2)}`,
          measured: measured === undefined ? "" : measured.toFixed(2),
          verdict: verdict === "missed" ? "MISSED" : verdict,
        },
      ]),
    ),
  );
  const count = (which: Verdict["verdict"]): number =>
    verdicts.filter(({ verdict }) => verdict === which).length;
  console.log(`${count("met")} met, ${count("missed")} missed, ${count("not measured")} not measured`);
}
