/** The files of a run: raw figures as JSON, and a chart for each workload. */

import { mkdir, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import type { Outcome } from "../tournament.ts";
import type { Verdict } from "../verdicts.ts";
import type { Machine } from "./machine.ts";
import { chart } from "./chart.ts";

export interface Run {
  /** When the run began. */
  readonly date: string;
  readonly machine: Machine;
  /** Versions by program. */
  readonly versions: Readonly<Record<string, string>>;
  /** How each contestant keeps data. */
  readonly settings: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly seconds: number;
  readonly only: string | undefined;
  readonly workloads: readonly Outcome[];
  readonly goals: readonly Verdict[];
}

const FOLDER = resolve(import.meta.dirname, "../../results");
const DIGITS = 5;

/** Writes `{date}.json` and `{date}.{workload}.svg`; a run of some workloads has their name part after the date. */
export async function writeRun(run: Run): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const stem = [run.date.slice(0, 10), ...(run.only === undefined ? [] : [slug(run.only)])].join("-");
  const files = [
    { name: `${stem}.json`, content: `${JSON.stringify(run, rounded, 2)}\n` },
    ...run.workloads.map((each) => ({ name: `${stem}.${slug(each.name)}.svg`, content: chart(each) })),
  ];
  for (const { name, content } of files) await writeFile(join(FOLDER, name), content);
  console.log(`\n${files.length} files written: ${relative(process.cwd(), join(FOLDER, stem))}*`);
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(DIGITS)) : value;
}

function slug(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
}
