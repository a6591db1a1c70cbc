/** Memory and disk use after a million lookups of unknown names. */

import { rm } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { openLines } from "../load/lines.ts";
import { startOurs, temporaryFolder, type Server } from "../servers.ts";
import { databasesOf, partitionsOf } from "./files.ts";

const LOOKUPS = 1_000_000;
const CONNECTIONS = 8;
const BATCH = 500;
/** Lookups before the first sample, so that every partition is awake and the garbage collector has settled. */
const WARM_UP = 100_000;

export async function unknownNames(): Promise<Record<string, string>> {
  const data = await temporaryFolder();
  try {
    const server = await startOurs({ data, vars: { KV_SWEEP_PERIOD_MS: "0" } });
    await fetch(`http://127.0.0.1:${server.http}/v1/buckets/one`, { method: "PUT" });
    await lookUp(server, "warm-up", WARM_UP);
    const before = { files: databasesOf(data).length, memory: await settled(server) };
    const started = performance.now();
    await lookUp(server, "unknown", LOOKUPS);
    const seconds = (performance.now() - started) / 1_000;
    const memory = await settled(server);
    const files = databasesOf(data).length;
    await server.stop();
    return {
      lookups: String(LOOKUPS),
      "per second": (LOOKUPS / seconds).toFixed(0),
      "files more": String(files - before.files),
      "names in the registry": String(countNames(data)),
      "MB before": before.memory.toFixed(0),
      "MB after": memory.toFixed(0),
      "bytes a name": (((memory - before.memory) * 1_048_576) / LOOKUPS).toFixed(1),
    };
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

async function lookUp(server: Server, prefix: string, count: number): Promise<void> {
  const each = count / CONNECTIONS;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, connection) => {
      const lines = await openLines(server.tcp);
      for (let from = 0; from < each; from += BATCH) {
        const size = Math.min(BATCH, each - from);
        const text = Array.from({ length: size }, (__, at) => `GET ${prefix}-${connection}-${from + at} k\n`);
        for (const reply of await lines.ask(text.join(""), size)) {
          if (reply !== "NOT FOUND") throw new Error(`unexpected reply: ${reply}`);
        }
      }
      lines.close();
    }),
  );
}

/** Idle memory: the minimum of several samples, because the time of garbage collection is not predictable. */
async function settled(server: Server): Promise<number> {
  const looks: number[] = [];
  for (let look = 0; look < 10; look += 1) {
    await new Promise((resolve) => {
      setTimeout(resolve, 500);
    });
    looks.push(server.memory());
  }
  return Math.min(...looks);
}

function countNames(data: string): number {
  let names = 0;
  for (const file of partitionsOf(data)) {
    const database = new DatabaseSync(file);
    names += Number(database.prepare("SELECT count(*) AS n FROM names").get()?.["n"]);
    database.close();
  }
  return names;
}
