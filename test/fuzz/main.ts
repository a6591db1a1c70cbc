/** `npm run fuzz`: random requests, commands and messages against a server of its own, until the time is over. */

import { parseArgs } from "node:util";
import { startServer } from "../e2e/support/server.ts";
import { httpFuzzer } from "./http.ts";
import { sessionFuzzer } from "./session.ts";
import { failureOf, Tally, type Fuzzer } from "./support/fuzzer.ts";
import { textFuzzer } from "./text.ts";

const HELP = `npm run fuzz -- [options]

  --seed N       begin with this seed; the same seed does the same (a random one if left out)
  --minutes M    how long; also parts of one (1 if left out)
  --only KIND    http, text or session; may be given several times (all if left out)
  --help

Ends with 1 at the first answer that is not described, has a wrong value or does not come, and prints the fewest
requests that show it.`;

const FUZZERS: Readonly<Record<string, Fuzzer>> = {
  http: httpFuzzer,
  text: textFuzzer,
  session: sessionFuzzer,
};
/** Sequences of one kind before it is another one's turn. */
const RUNS = 25;

process.exitCode = await main();

async function main(): Promise<number> {
  const values = valuesOf(process.argv.slice(2));
  if (values === undefined) {
    console.error(HELP);
    return 2;
  }
  const kinds = values.only ?? Object.keys(FUZZERS);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const minutes = Number(values.minutes);
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (!Number.isInteger(seed) || !(minutes > 0) || !kinds.every((kind) => Object.hasOwn(FUZZERS, kind))) {
    console.error(HELP);
    return 2;
  }
  console.log(`Seed ${seed}, ${minutes} minutes: ${kinds.join(", ")}.`);
  return fuzz(kinds, seed, performance.now() + minutes * 60_000);
}

/** Undefined where an argument is not known. */
function valuesOf(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        seed: { type: "string" },
        minutes: { type: "string", default: "1" },
        only: { type: "string", multiple: true },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch {
    return undefined;
  }
}

async function fuzz(kinds: readonly string[], seed: number, until: number): Promise<number> {
  // It ends when this program does, however that ends.
  const server = await startServer({ args: ["--parent", String(process.pid)] });
  const tallies = new Map(kinds.map((kind) => [kind, new Tally()]));
  let failure: string | undefined;
  try {
    for (let round = 0; failure === undefined && performance.now() < until; round += 1) {
      const kind = kinds[round % kinds.length] ?? "";
      const prepared = await fuzzerOf(kind)(server, `fuzz-${kind}-${round}`, tallies.get(kind) as Tally);
      failure = await failureOf(prepared, { seed: seed + round, runs: RUNS, limitMs: 120_000 });
      prepared.close();
      if (failure !== undefined) {
        failure = `${kind}: ${failure}\nAgain: npm run fuzz -- --only ${kind} --seed ${seed + round}`;
      }
    }
    failure ??= await crashOf(server);
  } finally {
    await server.stop();
  }
  for (const [kind, tally] of tallies) console.log([`${kind}: ${tally.total}`, ...tally.lines()].join("\n"));
  if (failure === undefined) {
    console.log("0 answers that the description does not have, 0 wrong values, 0 crashes.");
    return 0;
  }
  console.error(`\n${failure}`);
  return 1;
}

function fuzzerOf(kind: string): Fuzzer {
  const fuzzer = FUZZERS[kind];
  if (fuzzer === undefined) throw new Error(`There is no fuzzer ${kind}.`);
  return fuzzer;
}

/** What the server has said of an error that no answer told of. */
async function crashOf(server: Awaited<ReturnType<typeof startServer>>): Promise<string | undefined> {
  const line = /^.*(?:unexpected|uncaught|crash|Restarting it).*$/im.exec(server.output())?.[0];
  if (line !== undefined) return `the server has said: ${line}`;
  const response = await fetch(`${server.http}/healthz`).catch(() => undefined);
  return response?.ok === true ? undefined : "the server does not answer any more";
}
