/** `npm run bench:hostile`: what hostile clients can do to a server and to its other clients. */

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Attack } from "./attack.ts";
import { BOUNDS } from "./limits.ts";
import { attacks } from "./attacks/index.ts";
import { table } from "./report.ts";
import type { HostileServer } from "./server.ts";
import { tryAttack, type Outcome } from "./trial.ts";

const USAGE = `Usage: npm run bench:hostile -- [options]

  --only NAME    run only attacks whose name begins with NAME; repeatable
  --json FILE    write the results to a file
  --list         list the attacks and run none

Linux only: memory is read from /proc.
`;

const { values: options } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    json: { type: "string" },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

let running: HostileServer | undefined;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    void Promise.resolve(running?.stop()).then(() => process.exit(1));
  });
}

if (options.help) process.stdout.write(USAGE);
else if (options.list) for (const { name, about } of chosen()) console.log(`${name}: ${about}`);
else await run(chosen());
process.exit();

function chosen(): readonly Attack[] {
  const { only } = options;
  return only === undefined
    ? attacks
    : attacks.filter(({ name }) => only.some((wanted) => name.startsWith(wanted)));
}

async function run(wanted: readonly Attack[]): Promise<void> {
  const outcomes: Outcome[] = [];
  for (const attack of wanted) {
    console.error(`${attack.name}: ${attack.about}`);
    outcomes.push(
      await tryAttack(attack, (server) => {
        running = server;
      }),
    );
    console.error(`  ${outcomes.at(-1)?.attackerOutcome}`);
    // After each attack, so that an interrupted run keeps its results.
    if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(outcomes, undefined, 2));
  }
  console.log(`
The neighbour's latencies are in milliseconds: alone, then during the attack. \`stalled\` is the share of time spent in
puts of ${BOUNDS.p99} ms or more. \`peak MB\` is the engine's memory, \`tree MB\` that of all processes. Within bounds: a p99
below ${BOUNDS.p99} ms, no errors, a peak below ${BOUNDS.memory} MB, and the same engine still alive.
`);
  console.log(table(outcomes));
}
