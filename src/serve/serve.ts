/** Serves a Worker on this machine, with workerd. */

import { once } from "node:events";
import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { objectFolder } from "./capnp.ts";
import { refuseNodeFolder } from "./cluster-mark.ts";
import { startEngine, type Engine } from "./engine.ts";
import { LOCAL_VARS } from "./local-vars.ts";
import { lockFolder } from "./lock.ts";
import { FreedFiles } from "./freed-files.ts";
import { makeObjectFolders } from "./object-folders.ts";
import { isLoopback, type ServeOptions } from "./options.ts";
import { tighten } from "./permissions.ts";
import { reclaim } from "./reclaim.ts";
import { StartupError } from "./run-program.ts";
import { supervise, type Supervised } from "./supervisor.ts";
import type { LocalWorker } from "./worker-config.ts";

/** Approximate time for freeing disk space at a start, in milliseconds. */
const RECLAIM_MS = 2_000;
/** Milliseconds that a new Worker has for its first health check. */
const HEALTH_MS = 10_000;
const FILES_ARE_LIMITED = process.platform !== "win32";

/**
 * Starts the service, with the Worker's settings, overridden by variables of the same name in `environment`.
 * @param shutdown cancels the start; everything that was started is stopped before this throws
 * @throws {StartupError} if a port or the data folder is not available
 */
export async function serve(
  worker: LocalWorker,
  options: ServeOptions,
  environment: NodeJS.ProcessEnv,
  shutdown: AbortSignal,
): Promise<Supervised> {
  const { host, port, tcpPort } = options;
  const { config } = worker;
  // From here on, files that this process or the engine creates are readable by this user only.
  process.umask(0o077);
  if (options.data !== undefined) refuseNodeFolder(resolve(options.data));
  const lock = options.data === undefined ? undefined : await ownFolder(resolve(options.data));
  if (port !== 0 && port === tcpPort)
    throw new StartupError(`--port and --tcp-port are both ${port}. Choose another one for one of them.`);
  await checkPort("--port", host, port);
  if (tcpPort !== undefined) await checkPort("--tcp-port", host, tcpPort);
  shutdown.throwIfAborted();
  const code = await worker.code();
  shutdown.throwIfAborted();
  // SQLite needs files, so data in memory is in a folder of a memory file system, if there is one.
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
    // Only with an engine's lock, or on a new folder: otherwise an old engine may still be using the files.
    if (scratch || lock !== undefined) giveDiskBack(folders);
    engine = await startEngine(
      code,
      {
        worker: { ...config, vars: settings({ ...config.vars, ...LOCAL_VARS }, host, environment) },
        http: address(host, ports?.http ?? port),
        tcp: tcpPort === undefined ? undefined : address(host, ports?.tcp ?? tcpPort),
        tcpEntrypoint: "Tcp",
        controlled: process.platform !== "win32",
        data,
        scratch,
        lock,
        // By name only, so that the token is never written to a file.
        inherited: [
          ...(hasToken(environment) ? ["KV_TOKEN"] : []),
          ...(FILES_ARE_LIMITED ? ["KV_FILES"] : []),
        ],
      },
      shutdown,
    );
    await checkHealth(engine, host, shutdown);
    return engine;
  };
  try {
    if (!scratch) makeObjectFolders(data, folders);
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

/** Call it only while no engine uses the data folder. An error is logged, and the server starts all the same. */
function giveDiskBack(folders: readonly string[]): void {
  try {
    reclaim(folders, { clock: () => performance.now(), withinMs: RECLAIM_MS });
  } catch (error) {
    process.stderr.write(`Could not free disk space: ${(error as Error).message}\n`);
  }
}

export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined); // aborted
}

/** Locks the data folder and restricts access to this user. @throws {StartupError} */
export async function ownFolder(folder: string): Promise<number | undefined> {
  const lock = await lockFolder(folder);
  try {
    if (tighten(realpathSync(folder))) {
      process.stderr.write(
        `The data folder ${folder} was open to other users of this machine. Now only you can access it.\n`,
      );
    }
  } catch (error) {
    throw new StartupError(
      `Access to the data folder ${folder} can't be restricted to you: ${(error as Error).message}`,
    );
  }
  return lock;
}

/** The settings with those of the environment in their place. */
export function settings(
  vars: Readonly<Record<string, string>>,
  host: string,
  environment: NodeJS.ProcessEnv,
): Record<string, string> {
  return {
    ...Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, environment[name] ?? value])),
    // Without a token, because only this machine can reach the service. Never set in a deployment.
    ...(isLoopback(host) ? { KV_OPEN: "loopback" } : {}),
  };
}

export function hasToken(environment: NodeJS.ProcessEnv): boolean {
  return (environment["KV_TOKEN"] ?? "") !== "";
}

/**
 * Reports invalid settings at the start, and stops the engine then. The Worker itself reports them in its response to every
 * request.
 */
export async function checkHealth(engine: Engine, host: string, shutdown: AbortSignal): Promise<void> {
  const anyHost = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  try {
    const url = `http://${address(anyHost, engine.ports.http)}/healthz`;
    const response = await fetch(url, {
      signal: AbortSignal.any([shutdown, AbortSignal.timeout(HEALTH_MS)]),
    });
    if (response.ok) return;
    const { detail } = (await response.json()) as { detail: string };
    throw new StartupError(detail);
  } catch (error) {
    await engine.stop();
    throw error;
  }
}

function memoryFolder(): string {
  return existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
}

/** `host:port`, with brackets around an IPv6 address. */
export function address(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

export async function checkPort(option: string, host: string, port: number): Promise<void> {
  const probe = createServer();
  try {
    probe.listen(port, host);
    await once(probe, "listening");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new StartupError(
      code === "EADDRINUSE"
        ? `Port ${port} of ${host} is in use. Stop the process that uses it, or choose another port: ${option} N`
        : `Can't listen on ${address(host, port)}: ${message}`,
    );
  } finally {
    probe.close();
  }
}
