/** The node's own small HTTP server, which works when its engine does not: `/ready` and `/metrics`. */

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { NodeState } from "./node-state.ts";
import { isReady } from "./ready.ts";
import type { Store } from "./store.ts";
import { answers } from "./store-wait.ts";
import { wait } from "../serve.ts";

/** Milliseconds for the store's answer: less than a scrape of Prometheus may take. */
const STORE_WITHIN_MS = 3_000;

export interface AdminOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly state: NodeState;
  readonly store: Store;
  readonly versions: { readonly durableKv: string; readonly workerd: string };
}

export interface Admin {
  readonly port: number;
  stop(): void;
}

/** @throws {Error} if the port is not available */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const server: Server = createServer((request, response) => {
    // Not as a URL: what a stranger sends may be none.
    const [path = ""] = (request.url ?? "").split("?");
    void answer(path, options, response).catch(() => response.destroy());
  });
  server.listen(options.port, options.host);
  await once(server, "listening");
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(path: string, options: AdminOptions, response: ServerResponse): Promise<void> {
  const { state } = options;
  if (path === "/ready") {
    const ready = await isReady(state);
    response.writeHead(ready ? 200 : 503, { "Content-Type": "text/plain; charset=utf-8" });
    response.end(ready ? "ready\n" : `${state.isDraining ? "draining" : "not ready"}\n`);
  } else if (path === "/metrics") {
    response.writeHead(200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" });
    response.end(await metrics(options));
  } else {
    response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8" });
    response.end("There are /ready and /metrics here. The service itself has its own port.\n");
  }
}

async function metrics({ state, store, versions }: AdminOptions): Promise<string> {
  const [ready, answered] = await Promise.all([isReady(state), timed(store)]);
  const memory = state.enginePid === undefined ? undefined : await residentBytes(state.enginePid);
  return [
    ...gauge("node_ready", "Whether the node serves, holds its lease, and is not draining.", Number(ready)),
    ...gauge("node_draining", "Whether the node hands its buckets over.", Number(state.isDraining)),
    "# HELP durable_kv_node_engine_restarts_total How often the engine was started again.",
    "# TYPE durable_kv_node_engine_restarts_total counter",
    `durable_kv_node_engine_restarts_total ${state.restarts}`,
    ...(memory === undefined ? [] : gauge("node_memory_bytes", "Resident memory of the engine.", memory)),
    ...gauge("store_up", "Whether the store answered a list.", Number(answered !== undefined)),
    ...(answered === undefined ? [] : gauge("store_seconds", "How long that took.", answered)),
    "# HELP durable_kv_node_info Versions.",
    "# TYPE durable_kv_node_info gauge",
    `durable_kv_node_info{version="${versions.durableKv}",workerd="${versions.workerd}"} 1`,
    "",
  ].join("\n");
}

/** @returns the seconds that the store took to answer; undefined if it did not answer in time */
async function timed(store: Store): Promise<number | undefined> {
  const asked = performance.now();
  const late = new AbortController();
  const error = await Promise.race([
    answers(store),
    wait(STORE_WITHIN_MS, late.signal).then(() => new Error("late")),
  ]);
  late.abort();
  return error === undefined ? Number(((performance.now() - asked) / 1_000).toFixed(4)) : undefined;
}

function gauge(name: string, help: string, value: number): string[] {
  return [
    `# HELP durable_kv_${name} ${help}`,
    `# TYPE durable_kv_${name} gauge`,
    `durable_kv_${name} ${value}`,
  ];
}

/** Undefined where there is no /proc. */
async function residentBytes(pid: number): Promise<number | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(status) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024;
  } catch {
    return undefined;
  }
}
