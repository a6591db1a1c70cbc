/** The server as a user runs it: a process of its own, started by its command line. */

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** In one file, where the tests' global setup has bundled it. */
const main = (): string =>
  process.env["KV_TEST_SERVER"] ?? resolve(import.meta.dirname, "../../../src/serve/main.ts");

const commandOf = (program: string): string[] => [
  process.execPath,
  "--disable-warning=ExperimentalWarning",
  program,
];

/** Where a server listens. */
export interface Addresses {
  readonly http: string;
  readonly httpPort: number;
  readonly tcpPort: number;
}

export interface RunningServer extends Addresses {
  readonly data: string | undefined;
  /** Process id of the engine, which is a child of the server. */
  enginePid(): Promise<number>;
  hasEnded(): boolean;
  /** Megabytes of the engine's resident memory. */
  memory(): Promise<number>;
  /** Process id of the server itself. */
  readonly pid: number;
  /** All that it has printed. */
  output(): string;
  /** Waits until it has printed this. @returns the first group, or all that matched */
  prints(pattern: RegExp): Promise<string>;
  /** Asks it to end, waits, and says how long that took, in milliseconds, and its exit code. */
  stop(signal?: "SIGTERM" | "SIGINT"): Promise<{ readonly ms: number; readonly code: number | null }>;
  /** Kills the server's own process and nothing else. */
  kill(): Promise<void>;
  /** Kills it with all its children, as a machine that loses its power would. */
  killAll(): Promise<void>;
}

export interface ServerOptions {
  /** Start it with npm, as the README does, instead of by its file. */
  readonly npm?: boolean;
  /** Another program of the server's, which takes the same options. */
  readonly program?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Folder to keep data in; left out, nothing is kept. */
  readonly data?: string;
  readonly args?: readonly string[];
  /** Whether it serves the text protocol over TCP; yes if left out. */
  readonly tcp?: boolean;
}

/** Starts a server on free ports and waits until it is ready. */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const { data, tcp: servesTcp = true } = options;
  const child = launch(
    [
      "--port",
      "0",
      ...(servesTcp ? ["--tcp-port", "0"] : ["--no-tcp"]),
      ...(data === undefined ? ["--memory"] : ["--data", data]),
      ...(options.args ?? []),
    ],
    options.environment,
    options.npm === true ? ["npm", "start", "--"] : commandOf(options.program ?? main()),
  );
  const output = collect(child);
  const [http, tcp] = await Promise.all([
    output.until(/^Ready on http:\/\/\S+:(\d+)$/m),
    servesTcp ? output.until(/^Ready on tcp:\/\/\S+:(\d+)$/m) : "0",
  ]);
  const httpPort = Number(http);
  const enginePid = (): Promise<number> => findEngine(Number(child.pid));
  const ended = once(child, "exit");
  return {
    http: `http://127.0.0.1:${httpPort}`,
    httpPort,
    tcpPort: Number(tcp),
    data,
    enginePid,
    memory: async () => {
      const status = await readFile(`/proc/${await enginePid()}/status`, "utf8");
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024;
    },
    pid: Number(child.pid),
    output: () => output.text(),
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    prints: (pattern) => output.until(pattern),
    async stop(signal = "SIGTERM") {
      const started = performance.now();
      child.kill(signal);
      const [code] = (await ended) as [number | null];
      return { ms: performance.now() - started, code };
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    async killAll() {
      // It may have ended by itself.
      if (child.exitCode === null && child.signalCode === null) process.kill(-Number(child.pid), "SIGKILL");
      await ended;
    },
  };
}

/** Runs the command line to its end, which is expected to come soon. */
export function runServer(
  args: readonly string[],
  environment?: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly output: string }> {
  return runToEnd(launch(args, environment));
}

/** As {@link runServer}, for another program. */
export function runProgram(
  command: readonly string[],
  environment?: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly output: string }> {
  return runToEnd(launch([], environment, command));
}

async function runToEnd(
  child: ChildProcess,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const output = collect(child);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output: output.text() };
}

/** A folder that is gone when the test run is. */
export function temporaryFolder(): { readonly path: string; remove(): Promise<void> } {
  const path = mkdtempSync(join(tmpdir(), "durable-kv-test-"));
  // A process that a test has killed may still write its compiled modules there.
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 10 }) };
}

function launch(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  [program = "", ...first]: readonly string[] = commandOf(main()),
): ChildProcess {
  const { KV_TOKEN: _, ...inherited } = process.env;
  return spawn(program, [...first, ...args], {
    env: { ...inherited, ...environment },
    // A group of its own, so that killAll takes the whole server and nothing else.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Gathers what a child process prints. */
export function collect(child: ChildProcess): { text(): string; until(pattern: RegExp): Promise<string> } {
  let text = "";
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      text += String(chunk);
      for (const look of waiting) look();
    });
  }
  return {
    text: () => text,
    until: (pattern) =>
      new Promise((found, failed) => {
        const look = (): void => {
          const match = pattern.exec(text);
          if (match === null) return;
          waiting.delete(look);
          found(match[1] ?? match[0]);
        };
        waiting.add(look);
        child.once("exit", () => failed(new Error(`the server ended before ${pattern}:\n${text}`)));
        look();
      }),
  };
}

/** The engine among the descendants of a process. */
async function findEngine(pid: number): Promise<number> {
  if ((await readFile(`/proc/${pid}/comm`, "utf8")).trim() === "workerd") return pid;
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).split(" ").filter(Boolean);
  const found = await Promise.all(children.map((child) => findEngine(Number(child))));
  return found.find((engine) => engine > 0) ?? 0;
}
