/** The table of a workload. */

import type { Outcome } from "../tournament.ts";
import { ratioOf, spreadOf, type Figure } from "./figures.ts";

export function printOutcome({ name, unit, cases }: Outcome): void {
  console.log(`\n${name}\n`);
  const rows = cases.flatMap((each) =>
    each.entries.map((entry) => {
      const rate = spreadOf(entry, "rate");
      const [ours] = each.entries;
      const ratio = ours === undefined || ours === entry ? undefined : ratioOf(ours, entry, "rate");
      const latency = (figure: Figure): string => spreadOf(entry, figure)?.median.toFixed(2) ?? "";
      return [
        `${each.name}: ${entry.contestant}`,
        {
          [unit]: rate === undefined ? `failed: ${entry.failed ?? "no rounds"}` : whole(rate.median),
          min: rate === undefined ? "" : whole(rate.min),
          max: rate === undefined ? "" : whole(rate.max),
          "p50 ms": latency("p50"),
          "p99 ms": latency("p99"),
          "ours to it": ratio === undefined ? "" : ratio.toFixed(2),
        },
      ] as const;
    }),
  );
  console.table(Object.fromEntries(rows));
}

function whole(number: number): string {
  return number.toFixed(number < 100 ? 1 : 0);
}
