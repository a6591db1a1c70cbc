/** workerd as a child process: started, ready, stopped, and never left behind. */

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import workerd from "workerd";
import { capnpConfig, type EngineConfig } from "./capnp.ts";
import { askForFreed, askToDrain, MAX_SOCKET_PATH, watchEngine } from "./control.ts";
import { Stop } from "./stop.ts";

export interface Engine {
  /** The port that each socket listens on. */
  readonly ports: { readonly http: number; readonly tcp: number | undefined };
  /** workerd's own process id. */
  readonly pid: number;
  /** Settles when the engine has ended, with its exit code. */
  readonly ended: Promise<number>;
  /** Ids of objects that no name leads to any more, since this was asked last; none where there is no private socket. */
  freed(): Promise<readonly string[]>;
  /** Ends it: kindly, and within two seconds by force, which loses nothing that was acknowledged. */
  stop(): Promise<void>;
}

export interface EngineOptions extends Omit<EngineConfig, "code" | "control"> {
  /** The data folder is to be removed when this process has gone, should it not have the time to do so itself. */
  readonly scratch: boolean;
  /** A descriptor that the engine is to hold open while it lives; see {@link lockFolder}. */
  readonly lock?: number | undefined;
  /** Whether the Worker has the entry point `Control`, which lets the engine be stopped without breaking anything off. */
  readonly controlled?: boolean;
  /** Called when there is a process, which is not ready yet. */
  readonly started?: () => void;
}

/** How long the Worker may take to answer what is under way, in milliseconds. */
const DRAIN_MS = 1_500;
/** And how long the engine then may take to end, before it is made to. */
const GRACE_MS = 400;

/**
 * Runs the engine and waits for its end or for ours. If this process is killed, its end of the pipe closes,
 * `read` returns, and the engine goes with us instead of keeping our ports and data.
 *
 * The engine may open as many files as the system lets it: a connection takes two, an open bucket three, and an
 * engine that is out of them ends. KV_FILES tells the Worker how many that is.
 *
 * Descriptors: 3 reports, 4 is the folder's lock, 5 the pipe from this process.
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
 * Starts the engine with `code` as its Worker and waits until it listens.
 * @param ending ends the start too: then nothing of it is left
 * @throws {Stop} with the engine's own words if it does not come up.
 */
export async function startEngine(
  code: string,
  options: EngineOptions,
  ending: AbortSignal = new AbortController().signal,
): Promise<Engine> {
  const folder = await runFolder();
  const control = options.controlled === true ? join(folder, "control") : undefined;
  try {
    await writeFile(join(folder, "worker.js"), code);
    await writeFile(join(folder, "config.capnp"), capnpConfig({ ...options, code: "worker.js", control }));
    ending.throwIfAborted();
    return await run(folder, control, options, ending);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** What is the engine's alone: its configuration until it has read that, and its private socket. Only we may enter. */
async function runFolder(): Promise<string> {
  const long = join(tmpdir(), "durable-kv-XXXXXX", "control").length > MAX_SOCKET_PATH;
  return mkdtemp(join(long ? "/tmp" : tmpdir(), "durable-kv-"));
}

async function run(
  folder: string,
  control: string | undefined,
  { tcp, data, scratch, lock, started }: EngineOptions,
  ending: AbortSignal,
): Promise<Engine> {
  const command = [workerd.default, "serve", join(folder, "config.capnp"), "--control-fd=3"];
  const watched = process.platform === "win32" ? command : ["/bin/sh", "-c", WATCHDOG, "sh", ...command];
  const [program = "", ...args] = watched;
  const child = spawn(program, args, {
    stdio: ["pipe", "pipe", "pipe", "pipe", lock ?? "ignore"],
    env: { ...process.env, KV_RUN: folder, KV_SCRATCH: scratch ? data : "" },
    // A group of its own: what is sent to ours (Ctrl-C, a shell's end) is for us to pass on, in our order.
    detached: process.platform !== "win32",
  });
  const ended = once(child, "exit").then(async ([code]) => {
    await rm(folder, { recursive: true, force: true });
    return (code as number | null) ?? 1;
  });
  const said = logTo(child);
  const events = createInterface({ input: child.stdio[3] as Readable });
  const ports = new Map<string, number>();
  let pid = 0;
  // Its pipe is what the watchdog holds on to: closed, it ends the engine, also one whose id we have not been told yet.
  const endAtOnce = (): void => {
    child.stdin?.destroy();
    if (process.platform === "win32") child.kill("SIGKILL");
  };
  ending.addEventListener("abort", endAtOnce, { once: true });
  started?.();
  const ready = (async () => {
    for await (const line of events) {
      const event = JSON.parse(line) as { event: string; socket?: string; port?: number; pid?: number };
      if (event.pid !== undefined) pid = event.pid;
      if (event.event === "listen" && event.port !== undefined) ports.set(String(event.socket), event.port);
      if (ports.has("http") && (tcp === undefined || ports.has("tcp"))) return true;
    }
    return false;
  })();
  const isReady = await ready;
  ending.removeEventListener("abort", endAtOnce);
  if (!isReady || ending.aborted) {
    endAtOnce();
    await ended;
    ending.throwIfAborted();
    throw new Stop(`The engine did not start: ${said.join(" ").trim()}`);
  }
  // The engine has read them.
  await Promise.all(["worker.js", "config.capnp"].map((name) => rm(join(folder, name), { force: true })));
  const unwatch =
    control === undefined ? undefined : watchEngine(control, DRAIN_MS, () => kill(pid, "SIGKILL"));
  void ended.then(unwatch);
  return {
    ports: { http: Number(ports.get("http")), tcp: ports.get("tcp") },
    pid,
    ended,
    freed: async () => (control === undefined ? [] : askForFreed(control)),
    async stop() {
      unwatch?.();
      // First the Worker: it still takes requests meanwhile, to say that it is about to end. Then the engine, which
      // closes what is idle and waits for what it still has to send.
      if (control !== undefined) await askToDrain(control, DRAIN_MS);
      kill(pid, "SIGTERM");
      const force = setTimeout(() => kill(pid, "SIGKILL"), GRACE_MS);
      await ended;
      clearTimeout(force);
    },
  };
}

/** Passes on what the engine says, and keeps the first of it for an error message. */
function logTo(child: ChildProcess): string[] {
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      if (said.length < 20) said.push(String(chunk));
      process.stderr.write(chunk);
    });
  }
  return said;
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}
