/** What a run has shown, for people. */

import { readFileSync } from "node:fs";
import { inWords } from "./check/history.ts";
import type { Report } from "./torture.ts";

/** Violations that are printed. */
const MAX_PRINTED = 20;

const versionOf = (name: string): string =>
  (JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")) as { version: string }).version;

export function inLines(report: Report, seed: number): string {
  const faults = [...report.faults].toSorted(([one], [other]) => one.localeCompare(other));
  const total = faults.reduce((sum, [, count]) => sum + count, 0);
  const anHour = Math.round((total * 3_600) / report.seconds);
  const unknown =
    (100 * report.unknownWrites) / Math.max(1, report.unknownWrites + report.acknowledgedWrites);
  return [
    `seed ${seed}, node ${process.version}, workerd ${versionOf("workerd")}, ${report.seconds} s`,
    `faults: ${total}, ${anHour} an hour: ${faults.map(([fault, count]) => `${fault} ${count}`).join(", ")}`,
    ...(report.notes === "" ? [] : [report.notes]),
    `acknowledged writes: ${report.acknowledgedWrites}; of unknown outcome: ${report.unknownWrites} (${unknown.toFixed(2)} %)`,
    `histories: ${report.histories}, of ${report.operations} operations; illegal: ${report.illegal}, undecided: ${report.undecided}`,
    `lost: ${report.lost}; lives of buckets: ${report.lives}, events: ${report.events}; changes that watchers heard of: ${report.changes}`,
    `violations: ${report.violations.length}`,
    ...report.violations.slice(0, MAX_PRINTED).map((what) => `  ${what}`),
    ...(report.shortest === undefined
      ? []
      : ["the shortest illegal history:", ...report.shortest.map((call) => `  ${inWords(call)}`)]),
  ].join("\n");
}
