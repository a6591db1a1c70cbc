/** A server as a child process that never outlives this one. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface ServerProcess {
  /** What it wrote to its standard output so far. */
  output(): string;
  /** Kills it. Its data is thrown away, so it need not end in order. */
  stop(): Promise<void>;
}

const START_MS = 20_000;
const LOOK_MS = 25;

/** Runs a server, and kills it when its standard input closes, which also happens if this process dies. */
const WATCHDOG = `
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ read -r _ <&3; kill -9 "$server" 2>/dev/null; } &
watch=$!
exec 3<&-
wait "$server"
code=$?
kill -9 "$watch" 2>/dev/null
exit "$code"
`;

/**
 * Starts a server, and waits until it is ready.
 * @throws {Error} with its output, if it ends or is not ready in time
 */
export async function startServer(
  [program = "", ...args]: readonly string[],
  isReady: (server: ServerProcess) => Promise<boolean>,
): Promise<ServerProcess> {
  const child = spawn("/bin/sh", ["-c", WATCHDOG, "sh", program, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    // A process group of its own, so that Ctrl-C reaches only this process.
    detached: true,
  });
  const ended = once(child, "exit");
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors = (errors + text).slice(-2_000)));
  const server: ServerProcess = {
    output: () => output,
    stop: async () => {
      child.stdin.destroy();
      await ended;
    },
  };
  const until = performance.now() + START_MS;
  while (!(await isReady(server).catch(() => false))) {
    if (child.exitCode !== null || performance.now() > until) {
      await server.stop();
      throw new Error(`${program} did not start: ${(errors || output).trim()}`);
    }
    await sleep(LOOK_MS);
  }
  return server;
}

/** A port of the loopback interface that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
