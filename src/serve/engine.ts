/** Runs workerd as a child process that never outlives this one. */

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { capnpConfig, type EngineConfig } from "./capnp.ts";
import { askForFreed, askToDrain, socketFolder, watchEngine } from "./control.ts";
import { StartupError } from "./run-program.ts";

export interface Ports {
  readonly http: number;
  readonly tcp: number | undefined;
  /** For other nodes of a cluster; undefined for an engine by itself. */
  readonly peer?: number | undefined;
}

export interface Engine {
  /** The ports of the sockets. */
  readonly ports: Ports;
  /** workerd's own process id. */
  readonly pid: number;
  /** Settles when the engine has ended, with its exit code. */
  readonly ended: Promise<number>;
  /** Ids of objects that have lost their name since the last call; none without a private socket. */
  freed(): Promise<readonly string[]>;
  /** Stops it gracefully, and after two seconds by force. Acknowledged writes are on disk in both cases. */
  stop(): Promise<void>;
}

export interface EngineOptions extends Omit<EngineConfig, "code" | "control"> {
  /** Whether the data folder has to be removed if this process dies without doing so itself. */
  readonly scratch: boolean;
  /** A file descriptor that the engine keeps open; see {@link lockFolder}. */
  readonly lock?: number | undefined;
  /** Whether the Worker has the entry point `Control`, so that open requests can finish before the engine stops. */
  readonly controlled?: boolean;
  /** workerd's program, and the environment to run it in; if undefined, that of the package workerd, and this process's. */
  readonly program?: { readonly path: string; readonly environment: NodeJS.ProcessEnv } | undefined;
  /** Called when the process exists; it is not ready yet. */
  readonly started?: () => void;
}

/** Milliseconds that the Worker has for finishing open requests. */
const DRAIN_MS = 1_500;
/** Milliseconds that the engine then has to exit, before it is killed. */
const GRACE_MS = 400;
/** Milliseconds for which a stopping node of a cluster still accepts requests, and the part after which clients are told. */
const ACCEPT_MS = 5_000;
const TELL_AT = 0.9;
/** Milliseconds that a node of a cluster has beyond its own time for a stop. */
const HANDOVER_MARGIN_MS = 1_000;

/**
 * A shell script that runs the engine, and kills it when this process dies. Then this process's end of the pipe closes
 * and `read` returns. Otherwise the engine would live on and keep the ports and the data folder.
 *
 * It raises the limit of open files as far as the system allows: a connection needs two, an open bucket three, and an
 * engine without free descriptors crashes. KV_FILES tells the Worker the limit.
 *
 * Descriptors: 3 carries the engine's reports, 4 is the data folder's lock, 5 is the pipe from this process.
 */
const WATCHDOG = `
trap '' INT TERM HUP
exec 5<&0
ulimit -S -n "$(ulimit -H -n)" 2>/dev/null || ulimit -S -n 10240 2>/dev/null
KV_FILES=$(ulimit -n)
export KV_FILES
"$@" </dev/null 5<&- &
engine=$!
echo "{\\"event\\":\\"engine\\",\\"pid\\":$engine}" >&3
{ read -r _ <&5; : >"$KV_RUN/orphaned"; kill -9 "$engine" 2>/dev/null; } 3>&- 4<&- &
watch=$!
exec 3>&- 4<&- 5<&- 2>/dev/null
wait "$engine"
code=$?
kill -9 "$watch" 2>/dev/null
[ ! -e "$KV_RUN/orphaned" ] || rm -rf "$KV_RUN" \${KV_SCRATCH:+"$KV_SCRATCH"}
exit "$code"
`;

/**
 * Starts the engine with `code` as its Worker, and waits until it listens.
 * @param shutdown cancels the start, and leaves nothing behind
 * @throws {StartupError} with the engine's output if it does not start
 */
export async function startEngine(
  code: string,
  options: EngineOptions,
  shutdown: AbortSignal = new AbortController().signal,
): Promise<Engine> {
  // For the engine's configuration, until it has read that, and for its control socket.
  const folder = await socketFolder("control");
  const control = options.controlled === true ? join(folder, "control") : undefined;
  try {
    await writeFile(join(folder, "worker.js"), code);
    await writeFile(join(folder, "config.capnp"), capnpConfig({ ...options, code: "worker.js", control }));
    shutdown.throwIfAborted();
    return await run(folder, control, options, shutdown);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function run(
  folder: string,
  control: string | undefined,
  { tcp, data, scratch, lock, started, program: engine, cluster }: EngineOptions,
  shutdown: AbortSignal,
): Promise<Engine> {
  const path = engine?.path ?? (await enginePath());
  const flags = cluster === undefined ? [] : ["--experimental"];
  const command = [path, "serve", join(folder, "config.capnp"), "--control-fd=3", ...flags];
  const watched = process.platform === "win32" ? command : ["/bin/sh", "-c", WATCHDOG, "sh", ...command];
  const [program = "", ...args] = watched;
  const child = spawn(program, args, {
    stdio: ["pipe", "pipe", "pipe", "pipe", lock ?? "ignore"],
    env: { ...(engine?.environment ?? process.env), KV_RUN: folder, KV_SCRATCH: scratch ? data : "" },
    // A process group of its own: Ctrl-C reaches only this process, which then stops the engine in order.
    detached: process.platform !== "win32",
  });
  const ended = once(child, "exit").then(async ([code]) => {
    await rm(folder, { recursive: true, force: true });
    return (code as number | null) ?? 1;
  });
  const output = logTo(child);
  const events = createInterface({ input: child.stdio[3] as Readable });
  const ports = new Map<string, number>();
  let pid = 0;
  // Closing the watchdog's pipe ends the engine, even if its process id is not known yet.
  const endAtOnce = (): void => {
    child.stdin?.destroy();
    if (process.platform === "win32") child.kill("SIGKILL");
  };
  shutdown.addEventListener("abort", endAtOnce, { once: true });
  started?.();
  const ready = (async () => {
    for await (const line of events) {
      const event = JSON.parse(line) as { event: string; socket?: string; port?: number; pid?: number };
      if (event.pid !== undefined) pid = event.pid;
      if (event.event === "listen" && event.port !== undefined) ports.set(String(event.socket), event.port);
      if (event.event === "listen-cluster" && event.port !== undefined) ports.set("peer", event.port);
      if (ports.has("http") && (tcp === undefined || ports.has("tcp"))) return true;
    }
    return false;
  })();
  const isReady = await ready;
  shutdown.removeEventListener("abort", endAtOnce);
  if (!isReady || shutdown.aborted) {
    endAtOnce();
    await ended;
    shutdown.throwIfAborted();
    throw new StartupError(`The engine did not start: ${output.join(" ").trim()}`);
  }
  // The engine has read these files.
  await Promise.all(["worker.js", "config.capnp"].map((name) => rm(join(folder, name), { force: true })));
  // A node of a cluster hands its objects over before it ends, and serves meanwhile.
  const handover = cluster === undefined ? 0 : cluster.stopTimeoutMs + HANDOVER_MARGIN_MS;
  const unwatch =
    control === undefined
      ? undefined
      : watchEngine(control, Math.max(DRAIN_MS, handover), () => kill(pid, "SIGKILL"));
  let hasEnded = false;
  const over = (): void => {
    hasEnded = true;
    unwatch?.();
  };
  void ended.then(over);
  return {
    ports: { http: Number(ports.get("http")), tcp: ports.get("tcp"), peer: ports.get("peer") },
    pid,
    ended,
    freed: async () => (control === undefined ? [] : askForFreed(control)),
    async stop() {
      // Its process id may be another's by now.
      if (hasEnded) return;
      unwatch?.();
      const tell = async (): Promise<void> => {
        if (control !== undefined) await askToDrain(control, DRAIN_MS);
      };
      // First the Worker, which finishes open requests and refuses new ones. Then the engine, which closes idle
      // connections and sends what is buffered. A node of a cluster goes on, while it hands its objects over: those who
      // stay connected are told when it is about to accept nothing more.
      if (cluster === undefined) await tell();
      kill(pid, "SIGTERM");
      const telling =
        cluster === undefined
          ? undefined
          : setTimeout(() => void tell(), (TELL_AT * ACCEPT_MS) / cluster.timeDivisor);
      const force = setTimeout(() => kill(pid, "SIGKILL"), Math.max(GRACE_MS, handover));
      await ended;
      clearTimeout(telling);
      clearTimeout(force);
    },
  };
}

/** workerd's program. It is an optional dependency: clients do not need it, and there is none for some platforms. */
async function enginePath(): Promise<string> {
  try {
    const { default: workerd } = await import("workerd");
    return workerd.default;
  } catch {
    throw new StartupError(
      "The server runs on workerd, which is not installed: npm install workerd. It exists for Linux with glibc, macOS and Windows, on x64 and arm64.",
    );
  }
}

/** Copies the engine's output to stderr. @returns its first chunks, for an error message */
function logTo(child: ChildProcess): string[] {
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      if (output.length < 20) output.push(String(chunk));
      process.stderr.write(chunk);
    });
  }
  return output;
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // The process has ended already.
  }
}
