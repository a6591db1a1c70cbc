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
import { Stop } from "./stop.ts";

export interface Engine {
  /** The port that each socket listens on. */
  readonly ports: { readonly http: number; readonly tcp: number | undefined };
  /** workerd's own process id. */
  readonly pid: number;
  /** Settles when the engine has ended, with its exit code. */
  readonly ended: Promise<number>;
  /** Ends it: kindly, and soon after by force, which loses nothing that was acknowledged. */
  stop(): Promise<void>;
}

export interface EngineOptions extends Omit<EngineConfig, "code"> {
  /** The data folder is to be removed when the engine has ended, however this process ends. */
  readonly scratch: boolean;
}

/** How long clients that stay connected may keep the engine, in milliseconds. */
const GRACE_MS = 500;

/**
 * Runs the engine and waits for its end or for ours. If this process is killed, its end of the pipe closes,
 * `read` returns, and the engine goes with us instead of keeping our ports and data.
 */
const WATCHDOG = `
trap '' INT TERM HUP
exec 4<&0
"$@" </dev/null 4<&- &
engine=$!
echo "{\\"event\\":\\"engine\\",\\"pid\\":$engine}" >&3
{ read -r _ <&4; kill -9 "$engine" 2>/dev/null; } 3>&- &
watch=$!
exec 3>&- 4<&- 2>/dev/null
wait "$engine"
code=$?
kill -9 "$watch" 2>/dev/null
[ -z "$SCRATCH" ] || rm -rf "$SCRATCH"
exit "$code"
`;

/**
 * Starts the engine with `code` as its Worker and waits until it listens.
 * @throws {Stop} with the engine's own words if it does not come up.
 */
export async function startEngine(code: string, options: EngineOptions): Promise<Engine> {
  const folder = await mkdtemp(join(tmpdir(), "durable-kv-"));
  try {
    await writeFile(join(folder, "worker.js"), code);
    await writeFile(join(folder, "config.capnp"), capnpConfig({ ...options, code: "worker.js" }));
    return await run(join(folder, "config.capnp"), options);
  } finally {
    // The engine has read them: nothing of a server stays behind in the temporary folder.
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(configPath: string, { tcp, data, scratch }: EngineOptions): Promise<Engine> {
  const command = [workerd.default, "serve", configPath, "--control-fd=3"];
  const watched = process.platform === "win32" ? command : ["/bin/sh", "-c", WATCHDOG, "sh", ...command];
  const [program = "", ...args] = watched;
  const child = spawn(program, args, {
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    env: { ...process.env, SCRATCH: scratch ? data : "" },
  });
  const ended = once(child, "exit").then(([code]) => (code as number | null) ?? 1);
  const said = logTo(child);
  const events = createInterface({ input: child.stdio[3] as Readable });
  const ports = new Map<string, number>();
  let pid = child.pid ?? 0;
  const ready = (async () => {
    for await (const line of events) {
      const event = JSON.parse(line) as { event: string; socket?: string; port?: number; pid?: number };
      if (event.pid !== undefined) pid = event.pid;
      if (event.event === "listen") ports.set(String(event.socket), Number(event.port));
      if (ports.size === (tcp === undefined ? 1 : 2)) return true;
    }
    return false;
  })();
  if (!(await ready)) {
    await ended;
    throw new Stop(`The engine did not start: ${said.join(" ").trim()}`);
  }
  return {
    ports: { http: Number(ports.get("http")), tcp: ports.get("tcp") },
    pid,
    ended,
    async stop() {
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
