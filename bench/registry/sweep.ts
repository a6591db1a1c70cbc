/** Cost of a sweep: probes, rows written, seconds. */

import { rm } from "node:fs/promises";
import { startOurs, temporaryFolder } from "../servers.ts";
import { createBuckets } from "./buckets.ts";

const BUCKETS = 10_000;
const PERIOD_MS = 10_000;
/** Rows written per batch in addition to the tables: the sweep's timer, its alarm and its position. */
const ROWS_PER_BATCH = 3;

interface Registry {
  readonly names: number;
  readonly sweep: { readonly batches: number; readonly probes: number; readonly rowsWritten: number };
}

export async function sweep(): Promise<Record<string, Record<string, string>>> {
  const data = await temporaryFolder();
  try {
    const first = await startOurs({ data, vars: { KV_SWEEP_PERIOD_MS: "0" } });
    await createBuckets(
      first,
      Array.from({ length: BUCKETS }, (_, at) => `swept-${at}`),
      "permanent",
    );
    await first.stop();
    const server = await startOurs({ data, vars: { KV_SWEEP_PERIOD_MS: String(PERIOD_MS) } });
    const ask = async (): Promise<Registry> =>
      (await (await fetch(`http://127.0.0.1:${server.http}/v1/registry`)).json()) as Registry;
    const memory = server.memory();
    const start = await ask();
    const [one, oneSeconds] = await round(ask, BUCKETS);
    const [two, twoSeconds] = await round(ask, 2 * BUCKETS);
    const grown = server.memory() - memory;
    await server.stop();
    return {
      "first, all totals are new": row(start, one, oneSeconds),
      "second, nothing has changed": { ...row(one, two, twoSeconds), "MB more": grown.toFixed(0) },
    };
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

/** Waits for a number of probes. @returns the registry's state then, and the seconds it took */
async function round(ask: () => Promise<Registry>, probes: number): Promise<[Registry, number]> {
  const started = performance.now();
  for (;;) {
    const now = await ask();
    if (now.sweep.probes >= probes) return [now, (performance.now() - started) / 1_000];
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}

function row(before: Registry, after: Registry, seconds: number): Record<string, string> {
  const batches = after.sweep.batches - before.sweep.batches;
  const rows = after.sweep.rowsWritten - before.sweep.rowsWritten + batches * ROWS_PER_BATCH;
  return {
    batches: String(batches),
    "requests (probes)": String(after.sweep.probes - before.sweep.probes),
    "rows written": String(rows),
    seconds: seconds.toFixed(1),
  };
}
