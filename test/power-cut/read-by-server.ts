/** Reads a disk by the product: a server is started on it and asked for everything. */

import { Agent } from "node:http";
import { startServer, type RunningServer } from "../e2e/support/server.ts";
import type { Buckets } from "./changes.ts";
import type { Found } from "./verdict.ts";
import { ask, type Answer } from "./writers.ts";

/** @param names all buckets that there ever were */
export async function readByServer(data: string, names: readonly string[]): Promise<Found> {
  let server: RunningServer;
  try {
    server = await startServer({ data, args: ["--parent", String(process.pid)] });
  } catch (error) {
    return { buckets: new Map(), listed: [], errors: [`does not start: ${String(error)}`] };
  }
  try {
    return await readAll(server, names);
  } finally {
    // What is on the disk afterwards does not matter, and a stop in order takes longer.
    await server.killAll();
  }
}

async function readAll(server: RunningServer, names: readonly string[]): Promise<Found> {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const errors: string[] = [];
  const buckets: Buckets = new Map();
  const get = async (path: string): Promise<Answer> => {
    const answer = await ask(server.httpPort, "GET", path, { agent });
    if (answer.status >= 500) errors.push(`${answer.status} to GET ${path}: ${answer.text.slice(0, 200)}`);
    return answer;
  };
  const listed = namesIn(await get("/v1/buckets?limit=1000"));
  await Promise.all(
    names.map(async (bucket) => {
      const { status, text } = await get(`/v1/buckets/${bucket}/keys?values=true`);
      if (status !== 200) return;
      const keys = new Map<string, string>();
      buckets.set(bucket, keys);
      for (const { key, value } of (JSON.parse(text) as { keys: { key: string; value?: string }[] }).keys) {
        keys.set(key, value ?? (await get(`/v1/buckets/${bucket}/keys/${key}`)).text);
      }
    }),
  );
  await goesOn(server, errors);
  agent.destroy();
  for (const line of server.output().split("\n")) {
    if (/corrupt|malformed|SQLITE_|uncaught|Restarting it/i.test(line)) errors.push(`printed: ${line}`);
  }
  return { buckets, listed, errors };
}

/** Of a list of buckets. */
function namesIn({ text }: Answer): string[] {
  try {
    return (JSON.parse(text) as { buckets: { name: string }[] }).buckets.map(({ name }) => name);
  } catch {
    return [];
  }
}

/** Whether new buckets can be made on this disk, and written. */
async function goesOn({ httpPort }: RunningServer, errors: string[]): Promise<void> {
  for (const [method, path, body] of [
    ["PUT", "/v1/buckets/after-the-cut", "{}"],
    ["PUT", "/v1/buckets/after-the-cut/keys/k", "v"],
    ["DELETE", "/v1/buckets/after-the-cut", undefined],
  ] as const) {
    const { status, text } = await ask(httpPort, method, path, { body });
    if (status >= 300) errors.push(`${status} to ${method} ${path}: ${text.slice(0, 200)}`);
  }
}
