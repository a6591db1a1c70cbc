/** The service on this machine: the Worker of wrangler.toml on workerd. */

import { once } from "node:events";
import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bundle } from "./bundle.ts";
import { objectFolder } from "./capnp.ts";
import { startEngine, type Engine } from "./engine.ts";
import { LOCAL_VARS } from "./local-vars.ts";
import { lockFolder } from "./lock.ts";
import { FreedFiles } from "./freed-files.ts";
import { isLoopback, type ServeOptions } from "./options.ts";
import { tighten } from "./permissions.ts";
import { reclaim } from "./reclaim.ts";
import { Stop } from "./stop.ts";
import { supervise, type Supervised } from "./supervisor.ts";
import { readWorkerConfig } from "./worker-config.ts";

const ROOT = resolve(import.meta.dirname, "../..");
/** The Worker of wrangler.toml, with what a server on this machine needs beside it. */
const LOCAL_WORKER = join(ROOT, "src/local/worker.ts");

/** How long a start may look for disk to give back, about, in milliseconds. */
const RECLAIM_MS = 2_000;
/** How long a Worker that has just been started may take to say that it is well, in milliseconds. */
const HEALTH_MS = 10_000;
const FILES_ARE_LIMITED = process.platform !== "win32";

/**
 * Serves. The settings are those of wrangler.toml, overridden by variables of the same name in `environment`.
 * @param ending ends a start that is under way: what it has started is ended before this throws
 * @throws {Stop} if a port or the data folder can't be had.
 */
export async function serve(
  options: ServeOptions,
  environment: NodeJS.ProcessEnv,
  ending: AbortSignal,
): Promise<Supervised> {
  const { host, port, tcpPort } = options;
  const config = readWorkerConfig(join(ROOT, "wrangler.toml"));
  // Nothing that is made from here on is for others to read, by this process or by the engine.
  process.umask(0o077);
  const lock = options.data === undefined ? undefined : await ownFolder(resolve(options.data));
  await checkPort("--port", host, port);
  if (tcpPort !== undefined) await checkPort("--tcp-port", host, tcpPort);
  ending.throwIfAborted();
  const code = await bundle(LOCAL_WORKER);
  ending.throwIfAborted();
  // The engine's SQLite wants files, so what is kept in memory is a folder of the system's that is memory.
  const scratch = options.data === undefined;
  const data = scratch ? mkdtempSync(join(memoryFolder(), "durable-kv-")) : resolve(options.data);
  let engine: Engine | undefined;
  const unwatch = new FreedFiles({
    folder: join(data, objectFolder(config.objects["BUCKET"] ?? "")),
    freed: async () => (await engine?.freed()) ?? [],
    clock: () => performance.now(),
  }).watch();
  const folders = Object.values(config.objects).map((className) => join(data, objectFolder(className)));
  const removeScratch = (): void => {
    if (scratch) rmSync(data, { recursive: true, force: true });
  };
  const start = async (ports: Engine["ports"] | undefined): Promise<Engine> => {
    // Where there is no lock that an engine holds itself, one that was left behind may still have the folder.
    if (scratch || lock !== undefined) giveDiskBack(folders);
    engine = await startEngine(
      code,
      {
        worker: { ...config, vars: settings(config.vars, host, environment) },
        http: address(host, ports?.http ?? port),
        tcp: tcpPort === undefined ? undefined : address(host, ports?.tcp ?? tcpPort),
        tcpEntrypoint: "Tcp",
        controlled: process.platform !== "win32",
        data,
        scratch,
        lock,
        // By name: the token itself is never written to a file.
        inherited: [
          ...(hasToken(environment) ? ["KV_TOKEN"] : []),
          ...(FILES_ARE_LIMITED ? ["KV_FILES"] : []),
        ],
      },
      ending,
    );
    await checkHealth(engine, host, ending);
    return engine;
  };
  try {
    const log = (line: string): void => void process.stderr.write(`${line}\n`);
    const service = await supervise({ start, log, clock: () => performance.now(), wait });
    return {
      ...service,
      async stop() {
        unwatch();
        await service.stop();
        removeScratch();
      },
    };
  } catch (error) {
    unwatch();
    removeScratch();
    throw error;
  }
}

/** To be called while no engine has the data folder. A server whose disk can't be tidied serves all the same. */
function giveDiskBack(folders: readonly string[]): void {
  try {
    reclaim(folders, { clock: () => performance.now(), withinMs: RECLAIM_MS });
  } catch (error) {
    process.stderr.write(`Disk could not be given back: ${(error as Error).message}\n`);
  }
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined); // aborted: that is enough of it
}

/** Takes the data folder, for this server alone and out of the sight of others. @throws {Stop} */
async function ownFolder(folder: string): Promise<number | undefined> {
  const lock = await lockFolder(folder);
  try {
    if (tighten(realpathSync(folder))) {
      process.stderr.write(
        `The data folder ${folder} was open to other users of this machine: now it is yours only.\n`,
      );
    }
  } catch (error) {
    throw new Stop(`The data folder ${folder} can't be made yours only: ${(error as Error).message}`);
  }
  return lock;
}

function settings(
  vars: Readonly<Record<string, string>>,
  host: string,
  environment: NodeJS.ProcessEnv,
): Record<string, string> {
  const given = Object.entries({ ...vars, ...LOCAL_VARS });
  return {
    ...Object.fromEntries(given.map(([name, value]) => [name, environment[name] ?? value])),
    // Only this machine can reach the service. A deployment never has this variable.
    ...(isLoopback(host) ? { KV_OPEN: "loopback" } : {}),
  };
}

function hasToken(environment: NodeJS.ProcessEnv): boolean {
  return (environment["KV_TOKEN"] ?? "") !== "";
}

/** A Worker whose settings make no sense says so to every request: better said once, before any is made. */
async function checkHealth(engine: Engine, host: string, ending: AbortSignal): Promise<void> {
  const anyHost = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  try {
    const url = `http://${address(anyHost, engine.ports.http)}/healthz`;
    const response = await fetch(url, { signal: AbortSignal.any([ending, AbortSignal.timeout(HEALTH_MS)]) });
    if (response.ok) return;
    const { detail } = (await response.json()) as { detail: string };
    throw new Stop(detail);
  } catch (error) {
    await engine.stop();
    throw error;
  }
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
