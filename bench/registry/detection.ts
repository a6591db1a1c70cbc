/** Time from a bucket's end until a monitor gets DOWN, for three kinds of end. */

import { rm } from "node:fs/promises";
import { openLines, type Lines } from "../load/lines.ts";
import { median } from "../load/measure.ts";
import { startOurs, temporaryFolder, type Server } from "../servers.ts";
import { createBuckets, deleteObjects } from "./buckets.ts";

const EACH = 100;
const SWEEP_PERIOD_MS = 10_000;

type Row = Record<string, string>;

export async function detection(): Promise<Record<string, Row>> {
  const data = await temporaryFolder();
  const names = (way: string): string[] => Array.from({ length: EACH }, (_, at) => `${way}-${at}`);
  try {
    // No sweep runs while the buckets are created.
    const first = await startOurs({ data, vars: { KV_SWEEP_PERIOD_MS: "0" } });
    await createBuckets(first, names("obituary"), "temporary");
    const obituary = await obituaries(first, names("obituary"));
    const suspected = await createBuckets(first, names("suspicion"), "temporary");
    const swept = await createBuckets(first, names("sweep"), "temporary");
    await first.stop();
    deleteObjects(data, [...suspected.values(), ...swept.values()]);
    const second = await startOurs({ data, vars: { KV_SWEEP_PERIOD_MS: "0" } });
    const suspicion = await suspicions(second, names("suspicion"));
    await second.stop();
    const third = await startOurs({ data, vars: { KV_SWEEP_PERIOD_MS: String(SWEEP_PERIOD_MS) } });
    const sweep = await sweeps(third, names("sweep"));
    await third.stop();
    return {
      "obituary: EXIT until DOWN": row(obituary),
      "suspicion: a call that hears noproc until DOWN": row(suspicion),
      [`sweep: period ${SWEEP_PERIOD_MS / 1_000} s, start until DOWN`]: row(sweep),
    };
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

/** The bucket ends and sends its notice. */
function obituaries(server: Server, names: readonly string[]): Promise<number[]> {
  return oneByOne(server, names, (actor, name) => actor.ask(`EXIT ${name} shutdown\n`, 1));
}

/** The bucket's storage is lost, and a caller finds that out. */
function suspicions(server: Server, names: readonly string[]): Promise<number[]> {
  return oneByOne(server, names, (actor, name) => actor.ask(`GET ${name} key\n`, 1));
}

async function oneByOne(
  server: Server,
  names: readonly string[],
  act: (actor: Lines, name: string) => Promise<unknown>,
): Promise<number[]> {
  const [monitor, actor] = [await openLines(server.tcp), await openLines(server.tcp)];
  const times: number[] = [];
  for (const name of names) {
    await monitor.ask(`MONITOR ${name}\n`, 1);
    const started = performance.now();
    const down = monitor.take(1);
    await Promise.all([act(actor, name), down.then(() => times.push(performance.now() - started))]);
  }
  monitor.close();
  actor.close();
  return times;
}

/** The bucket's storage is lost, and only the sweep can find that out. */
async function sweeps(server: Server, names: readonly string[]): Promise<number[]> {
  const monitor = await openLines(server.tcp);
  const started = performance.now();
  await monitor.ask(names.map((name) => `MONITOR ${name}\n`).join(""), names.length);
  const times: number[] = [];
  while (times.length < names.length) {
    await monitor.take(1);
    times.push(performance.now() - started);
  }
  monitor.close();
  return times;
}

function row(times: readonly number[]): Row {
  return {
    buckets: String(times.length),
    "median ms": median(times).toFixed(1),
    "longest ms": Math.max(...times).toFixed(1),
  };
}
