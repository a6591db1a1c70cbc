/** Formats the results as a Markdown table. */

import type { Outcome } from "./trial.ts";

const COLUMNS: Readonly<Record<string, (outcome: Outcome) => string>> = {
  attack: ({ attack }) => attack,
  "p99 alone": ({ alone }) => milliseconds(alone.p99),
  p50: ({ during }) => milliseconds(during.p50),
  p99: ({ during }) => milliseconds(during.p99),
  max: ({ during }) => milliseconds(during.max),
  stalled: ({ during }) => `${(during.stalled * 100).toFixed(0)} %`,
  errors: ({ during }) => errors(during),
  "peak MB": ({ memory }) => memory.engine.toFixed(0),
  "tree MB": ({ memory }) => memory.tree.toFixed(0),
  "attacker's outcome": ({ attackerOutcome }) => attackerOutcome,
  alive: ({ alive }) => alive,
  "within bounds": ({ withinBounds }) => (withinBounds ? "yes" : "**NO**"),
};

export function table(outcomes: readonly Outcome[]): string {
  const names = Object.keys(COLUMNS);
  const rows = outcomes.map((outcome) => Object.values(COLUMNS).map((cell) => escaped(cell(outcome))));
  return [names, names.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function errors({ errors: count, puts, firstError }: Outcome["during"]): string {
  return firstError === undefined ? "0" : `${count} of ${puts}: ${firstError.slice(0, 80)}`;
}

function milliseconds(ms: number): string {
  return ms.toFixed(ms < 10 ? 1 : 0);
}

function escaped(text: string): string {
  return text.replaceAll("|", "\\|");
}
