/** Starts the servers to measure, on the same engine, with data on disk. */

import { readFileSync } from "node:fs";
import { mkdtemp, mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { bundle } from "../src/serve/bundle.ts";
import { startEngine, type Engine, type EngineOptions } from "../src/serve/engine.ts";
import { readWorkerConfig } from "../src/serve/from-source.ts";

const ROOT = resolve(import.meta.dirname, "..");

export interface Server {
  readonly name: "ours" | "bare";
  readonly http: number;
  readonly tcp: number;
  readonly data: string;
  /** Resident memory in megabytes. */
  memory(): number;
  /** Peak resident memory in megabytes. */
  peakMemory(): number;
  /** Stops the server. Its data stays if `data` was given. */
  stop(): Promise<void>;
}

export interface OursOptions {
  /** Settings that override those of wrangler.toml. */
  readonly vars?: Readonly<Record<string, string>>;
  /** A data folder to keep; by default a temporary one. */
  readonly data?: string;
}

export async function startOurs({ vars = {}, data }: OursOptions = {}): Promise<Server> {
  const config = readWorkerConfig(join(ROOT, "wrangler.toml"));
  // As `npm start` runs it, but with a deployment's settings. Only this machine can reach it.
  return start("ours", await bundle(join(ROOT, "src/local/worker.ts")), {
    worker: { ...config, vars: { ...config.vars, ...vars, KV_OPEN: "loopback" } },
    tcpEntrypoint: "Tcp",
    data,
  });
}

export async function startBare(): Promise<Server> {
  return start("bare", await bundle(resolve(import.meta.dirname, "bare/worker.ts")), {
    worker: { compatibilityDate: "2026-10-01", vars: {}, objects: { STORE: "Store" } },
    data: undefined,
  });
}

/** A Worker without objects: no service on this engine can be faster. */
export type Ceiling = "untouched" | "body-reader";

export async function startCeiling(ceiling: Ceiling): Promise<Pick<Server, "http" | "stop">> {
  const code = await bundle(resolve(import.meta.dirname, `bare/${ceiling}.ts`));
  return start("bare", code, {
    worker: { compatibilityDate: "2026-10-01", vars: {}, objects: {} },
    data: undefined,
  });
}

export async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "durable-kv-bench-"));
}

async function start(
  name: Server["name"],
  code: string,
  {
    data,
    ...options
  }: Pick<EngineOptions, "worker" | "tcpEntrypoint"> & { readonly data: string | undefined },
): Promise<Server> {
  const folder = data ?? (await temporaryFolder());
  await mkdir(folder, { recursive: true });
  const engine: Engine = await startEngine(code, {
    ...options,
    http: "127.0.0.1:0",
    tcp: "127.0.0.1:0",
    data: folder,
    scratch: false,
    inherited: [],
  });
  return {
    name,
    http: engine.ports.http,
    tcp: Number(engine.ports.tcp),
    data: folder,
    memory: () => residentMegabytes(engine.pid, "VmRSS"),
    peakMemory: () => residentMegabytes(engine.pid, "VmHWM"),
    stop: async () => {
      await engine.stop();
      if (data === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

function residentMegabytes(pid: number, line: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kilobytes = new RegExp(`${line}:\\s+(\\d+)`).exec(status)?.[1];
  return Number(kilobytes ?? Number.NaN) / 1_024;
}
