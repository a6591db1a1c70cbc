/** Starts a server for one attack, as a user would, and always stops it. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { treeOf, type Tree } from "./processes.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const MAIN = resolve(ROOT, "src/serve/main.ts");
const START_MS = 30_000;
const STOP_MS = 5_000;
/** Characters of the output to keep. */
const MAX_SAID = 4_000;

export interface ServerOptions {
  readonly token: string | undefined;
  /** The data folder; undefined for memory. */
  readonly data: string | undefined;
  /** The limit of open files for the server. It can raise a soft limit, but not a `hard` one. */
  readonly openFiles?: { readonly limit: number; readonly kind: "soft" | "hard" };
}

export interface HostileServer {
  readonly http: number;
  readonly tcp: number;
  readonly token: string | undefined;
  readonly data: string | undefined;
  readonly processes: Tree;
  /** The end of its output. */
  output(): string;
  stop(): Promise<void>;
}

/** Starts a server on free ports. @throws if it is not ready in time */
export async function startServer({ token, data, openFiles }: ServerOptions): Promise<HostileServer> {
  const command = [
    process.execPath,
    "--disable-warning=ExperimentalWarning",
    MAIN,
    "--port",
    "0",
    "--tcp-port",
    "0",
    ...(data === undefined ? ["--memory"] : ["--data", data]),
  ];
  const [program = "", ...args] =
    openFiles === undefined ? command : ["sh", "-c", limitScript(openFiles), "sh", ...command];
  const child = spawn(program, args, {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, KV_TOKEN: token },
  });
  const ended = once(child, "exit");
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => {
      text = (text + chunk).slice(-MAX_SAID);
    });
  }
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    // The engine ends as well: its watchdog kills it when the server is gone.
    const force = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(force);
  };
  try {
    const [http, tcp] = await readyPorts(() => text, ended);
    return { http, tcp, token, data, processes: treeOf(Number(child.pid)), output: () => text, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function limitScript({ limit, kind }: NonNullable<ServerOptions["openFiles"]>): string {
  return `ulimit ${kind === "soft" ? "-S " : ""}-n ${limit}; exec "$@"`;
}

/** Reads the ports from the server's output. @throws if the server ends, or takes too long */
async function readyPorts(output: () => string, ended: Promise<unknown>): Promise<[number, number]> {
  const gone = new AbortController();
  const end = (): void => gone.abort();
  ended.then(end, end);
  const late = AbortSignal.timeout(START_MS);
  while (!gone.signal.aborted && !late.aborted) {
    const http = /^Ready on http:\/\/\S+:(\d+)$/m.exec(output())?.[1];
    const tcp = /^Ready on tcp:\/\/\S+:(\d+)$/m.exec(output())?.[1];
    if (http !== undefined && tcp !== undefined) return [Number(http), Number(tcp)];
    await sleep(20);
  }
  throw new Error(`the server did not start: ${output()}`);
}
