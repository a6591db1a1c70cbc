/** `npm run bench:values`: client, batches, counters, watchers and large values, compared with the minimal Worker. */

import { median } from "../load/measure.ts";
import { startBare, startOurs } from "../servers.ts";
import type { Bench, Figures, Prepared } from "./bench.ts";
import { client } from "./client.ts";
import { fanOut } from "./fan-out.ts";
import { large } from "./large.ts";
import { operations } from "./operations.ts";
import { pages } from "./pages.ts";

/** The whole run stays under three minutes. */
const ROUNDS = 5;
const ROUND_MS = 1_000;

const only = process.argv[2];
const rows = [];
for (const bench of [...client, ...operations, ...pages, ...fanOut, large]) {
  if (only === undefined || bench.name.includes(only)) rows.push(...(await run(bench)));
}
console.log(`Medians of ${ROUNDS} alternating rounds. The ratio is ours to bare.\n`);
console.table(Object.fromEntries(rows));
process.exit();

interface Side {
  readonly prepared: Prepared;
  readonly rounds: Figures[];
}

/** Uses new servers, so that earlier benches affect neither time nor memory. */
async function run(bench: Bench): Promise<[string, Record<string, string>][]> {
  const servers = [await startOurs(), ...(bench.bare ? [await startBare()] : [])];
  try {
    const sides: Side[] = [];
    for (const server of servers) sides.push({ prepared: await bench.prepare(server), rounds: [] });
    for (let round = 0; round < ROUNDS; round += 1) {
      // Alternate the order, so that a machine that slows down favours neither.
      for (const { prepared, rounds } of round % 2 === 0 ? sides : sides.toReversed()) {
        rounds.push(await prepared.measure(ROUND_MS));
      }
    }
    const [ours = [], bare = []] = sides.map(figuresOf);
    return Object.keys(ours[0] ?? {}).map((figure) => {
      const each = (rounds: readonly Figures[]): number[] =>
        rounds.map((figures) => figures[figure] ?? Number.NaN);
      return [`${bench.name}: ${figure}`, row(each(ours), each(bare))];
    });
  } finally {
    for (const server of servers) await server.stop();
  }
}

function figuresOf({ prepared, rounds }: Side): Figures[] {
  const overall = prepared.overall?.() ?? {};
  return rounds.map((figures) => ({ ...figures, ...overall }));
}

/** Compares round by round, because the machine's load changes between rounds. */
function row(ours: readonly number[], bare: readonly number[]): Record<string, string> {
  const ratios = bare.map((figure, round) => (ours[round] ?? Number.NaN) / figure);
  return {
    ours: median(ours).toFixed(0),
    bare: bare.length === 0 ? "" : median(bare).toFixed(0),
    ratio: ratios.length === 0 ? "" : median(ratios).toFixed(2),
  };
}
