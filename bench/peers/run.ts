/** `npm run bench -- --peers`: this service beside what people would use instead, on the same machine. */

import { DEFAULTS, UsageError, type PeerOptions } from "../options.ts";
import { goals } from "./goals.ts";
import { machineFacts } from "./report/machine.ts";
import { writeRun } from "./report/results-files.ts";
import { printOutcome } from "./report/table.ts";
import { printVerdicts } from "./report/verdict-table.ts";
import type { Peer } from "./stores/peer.ts";
import { hold, type Outcome } from "./tournament.ts";
import { judge } from "./verdicts.ts";
import { packageVersions } from "./versions.ts";
import type { Workload } from "./workload.ts";
import { workloads } from "./workloads/index.ts";

export interface PeerRun extends PeerOptions {
  /** Part of the names of the workloads to run; undefined for all. */
  readonly only: string | undefined;
}

/** The run was ended by a signal. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

const WORKERD_SETTINGS =
  "one Durable Object for each bucket, SQLite on disk as workerd sets it up; a put is answered when it is synced";

export async function againstPeers({ only, rounds, seconds, save }: PeerRun): Promise<void> {
  const date = new Date().toISOString();
  const asked = workloads.filter(({ name }) => only === undefined || name.includes(only));
  if (asked.length === 0) {
    throw new UsageError(
      `no workload has ${only} in its name; there are:\n${workloads.map(({ name }) => name).join("\n")}`,
    );
  }
  const found = await findPeers(asked);
  const machine = await machineFacts();
  const versions = { ...packageVersions(), ...found.versions };
  const settings = { "ours and bare": WORKERD_SETTINGS, ...found.settings };
  console.log(
    `Rounds: ${rounds}, of ${seconds} s, in alternating turns. All servers and the load are on this machine.`,
  );
  console.table({ ...machine, ...versions });
  for (const [name, text] of Object.entries(settings)) console.log(`${name}: ${text}`);

  const outcomes: Outcome[] = [];
  const turns = { rounds, forMs: seconds * 1_000, interrupted: interruption() };
  for (const workload of asked) {
    const contestants = workload.contestants.filter(
      ({ peer }) => peer === undefined || found.versions[peer.name] !== undefined,
    );
    const outcome = await hold({ ...workload, contestants }, turns);
    printOutcome(outcome);
    outcomes.push(outcome);
  }
  const verdicts = judge(goals, outcomes);
  printVerdicts(verdicts);
  const isFull = only === undefined && rounds === DEFAULTS.rounds && seconds === DEFAULTS.seconds;
  if (isFull || save) {
    const run = {
      date,
      machine,
      versions,
      settings,
      rounds,
      seconds,
      only,
      workloads: outcomes,
      goals: verdicts,
    };
    await writeRun(run);
  }
}

/** The first Ctrl-C ends the run after the turn, so that servers stop and their data is removed; the second one at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => controller.abort(new Interrupted("Interrupted: no results are written.")));
  }
  return controller.signal;
}

interface FoundPeers {
  readonly versions: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, string>>;
}

/** The peers of these workloads that are installed. Says how to install the others. */
async function findPeers(asked: readonly Workload[]): Promise<FoundPeers> {
  const peers = new Set<Peer>();
  for (const { peer } of asked.flatMap(({ contestants }) => contestants))
    if (peer !== undefined) peers.add(peer);
  const versions: Record<string, string> = {};
  const settings: Record<string, string> = {};
  for (const peer of peers) {
    const version = await peer.version();
    if (version === undefined) {
      console.log(`${peer.name} is left out: ${peer.install}`);
      continue;
    }
    versions[peer.name] = version;
    settings[peer.name] = peer.settings;
  }
  return { versions, settings };
}
