/** The service on this machine: the Worker of wrangler.toml on workerd. */

import { once } from "node:events";
import { existsSync, mkdtempSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { bundle } from "./bundle.ts";
import { startEngine, type Engine } from "./engine.ts";
import { lockFolder } from "./lock.ts";
import { isLoopback, type ServeOptions } from "./options.ts";
import { Stop } from "./stop.ts";
import { readWorkerConfig } from "./worker-config.ts";

/**
 * What is different on this machine: what is seldom in a deployment happens while somebody looks on. In small
 * batches, because a probe wakes its bucket, and ten thousand that are awake take more than a gigabyte.
 * `npm run dev` says the same.
 */
const LOCAL_VARS = { KV_SWEEP_PERIOD_MS: "30000", KV_SWEEP_BATCH: "2" };

const ROOT = resolve(import.meta.dirname, "../..");

/**
 * Serves. The settings are those of wrangler.toml, overridden by variables of the same name in `environment`.
 * @throws {Stop} if a port or the data folder can't be had.
 */
export async function serve(options: ServeOptions, environment: NodeJS.ProcessEnv): Promise<Engine> {
  const { host, port, tcpPort } = options;
  const config = readWorkerConfig(join(ROOT, "wrangler.toml"));
  const scratch = options.data === undefined;
  if (!scratch) lockFolder(resolve(options.data));
  await Promise.all([checkPort("--port", host, port), checkPort("--tcp-port", host, tcpPort)]);

  const hasToken = (environment["KV_TOKEN"] ?? "") !== "";
  const vars = Object.fromEntries(
    Object.entries({ ...config.vars, ...LOCAL_VARS }).map(([name, value]) => [
      name,
      environment[name] ?? value,
    ]),
  );
  const code = await bundle(config.main);
  // The engine's SQLite wants files, so what is kept in memory is a folder of the system's that is memory.
  // Made last, and from here on the engine's to remove.
  const data = scratch ? mkdtempSync(join(memoryFolder(), "durable-kv-")) : resolve(options.data);
  const engine = await startEngine(code, {
    // Without a token the door is open to this machine only; a deployment never has this variable.
    worker: { ...config, vars: isLoopback(host) && !hasToken ? { ...vars, KV_OPEN: "loopback" } : vars },
    http: address(host, port),
    tcp: address(host, tcpPort),
    data,
    scratch,
    // By name: the token itself is never written to a file.
    secrets: hasToken ? ["KV_TOKEN"] : [],
  });
  await checkHealth(engine, host);
  return engine;
}

/** A Worker whose settings make no sense says so to every request: better said once, before any is made. */
async function checkHealth(engine: Engine, host: string): Promise<void> {
  const anyHost = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  const response = await fetch(`http://${address(anyHost, engine.ports.http)}/healthz`);
  if (response.ok) return;
  const { detail } = (await response.json()) as { detail: string };
  await engine.stop();
  throw new Stop(detail);
}

function memoryFolder(): string {
  return existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
}

/** `host:port`, with brackets where the host has colons of its own. */
export function address(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

async function checkPort(option: string, host: string, port: number): Promise<void> {
  const probe = createServer();
  try {
    probe.listen(port, host);
    await once(probe, "listening");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Stop(
      code === "EADDRINUSE"
        ? `Port ${port} of ${host} is in use. Stop what uses it, or take another: ${option} N`
        : `Can't listen on ${address(host, port)}: ${message}`,
    );
  } finally {
    probe.close();
  }
}
