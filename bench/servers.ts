/** The two that are compared, on the same engine, each with its data on disk. */

import { readFileSync } from "node:fs";
import { mkdtemp, mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { bundle } from "../src/serve/bundle.ts";
import { startEngine, type Engine } from "../src/serve/engine.ts";
import { serve } from "../src/serve/serve.ts";

export interface Server {
  readonly name: "ours" | "bare";
  readonly http: number;
  readonly tcp: number;
  /** Megabytes of resident memory. */
  memory(): number;
  stop(): Promise<void>;
}

export async function startOurs(): Promise<Server> {
  const data = await mkdtemp(join(tmpdir(), "durable-kv-bench-"));
  const engine = await serve({ host: "127.0.0.1", port: 0, tcpPort: 0, data }, {});
  return server("ours", engine, data);
}

export async function startBare(): Promise<Server> {
  const data = await mkdtemp(join(tmpdir(), "durable-kv-bench-"));
  await mkdir(join(data, "bare"));
  const engine = await startEngine(await bundle(resolve(import.meta.dirname, "bare/worker.ts")), {
    worker: { compatibilityDate: "2026-10-01", vars: {}, objects: { STORE: "Store" } },
    http: "127.0.0.1:0",
    tcp: "127.0.0.1:0",
    data: join(data, "bare"),
    scratch: false,
    secrets: [],
  });
  return server("bare", engine, data);
}

function server(name: Server["name"], engine: Engine, data: string): Server {
  return {
    name,
    http: engine.ports.http,
    tcp: Number(engine.ports.tcp),
    memory: () => residentMegabytes(engine.pid),
    stop: async () => {
      await engine.stop();
      await rm(data, { recursive: true, force: true });
    },
  };
}

function residentMegabytes(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes ?? Number.NaN) / 1_024;
}
