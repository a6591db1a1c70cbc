/** The command as a user runs it: a process of its own. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { inject } from "vitest";

/** What `kv` stands for. */
export const KV = [process.execPath, inject("command")] as const;

export interface Ran {
  readonly code: number | null;
  readonly bytes: Uint8Array;
  /** All of stdout. */
  readonly out: string;
  readonly err: string;
  /** Stdout's lines as JSON. */
  readonly json: () => unknown[];
}

export interface Running {
  /** Waits until stdout has something. */
  readonly until: (pattern: RegExp) => Promise<void>;
  readonly write: (text: string | Uint8Array) => void;
  /** Ends stdin. */
  readonly end: (last: string | Uint8Array) => void;
  readonly interrupt: () => void;
  readonly ended: Promise<Ran>;
}

export interface CliOptions {
  readonly url: string;
  readonly input?: string | Uint8Array;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts `kv`; its stdin stays open. */
export function startKv({ url, environment = {} }: CliOptions, ...args: readonly string[]): Running {
  return start([...KV, ...args], { KV_URL: url, ...environment });
}

/** Runs `kv` to its end, with its input, which is nothing if left out. */
export function kv(options: CliOptions, ...args: readonly string[]): Promise<Ran> {
  const running = startKv(options, ...args);
  running.end(options.input ?? "");
  return running.ended;
}

/** Starts any program, in a process group of its own. */
export function start(
  [program = "", ...args]: readonly string[],
  environment: Readonly<Record<string, string>>,
  cwd?: string,
): Running {
  const { KV_TOKEN: _, NO_COLOR: __, ...inherited } = process.env;
  const child = spawn(program, args, {
    env: { ...inherited, ...environment },
    stdio: "pipe",
    detached: true,
    ...(cwd !== undefined && { cwd }),
  });
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  const waiting = new Set<() => void>();
  child.stdout.on("data", (chunk: Buffer) => {
    stdout.push(chunk);
    for (const look of waiting) look();
  });
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // Who does not read its stdin may end before all of it is written.
  child.stdin.on("error", () => undefined);
  const text = (): string => Buffer.concat(stdout).toString();
  const end = async (): Promise<Ran> => {
    const [code] = (await once(child, "close")) as [number | null];
    const out = text();
    return {
      code,
      bytes: new Uint8Array(Buffer.concat(stdout)),
      out,
      err: Buffer.concat(stderr).toString(),
      json: () =>
        out
          .split("\n")
          .slice(0, -1)
          .map((line) => JSON.parse(line) as unknown),
    };
  };
  const ended = end();
  return {
    until: async (pattern) => {
      const found = new Promise<"found">((resolve) => {
        const look = (): void => {
          if (!pattern.test(text())) return;
          waiting.delete(look);
          resolve("found");
        };
        waiting.add(look);
        look();
      });
      const first = await Promise.race([found, ended]);
      if (first === "found" || pattern.test(first.out)) return;
      throw new Error(`it ended (${first.code}) before ${pattern}:\n${first.out}${first.err}`);
    },
    write: (data) => void child.stdin.write(data),
    end: (last) => void child.stdin.end(last),
    interrupt: () => void process.kill(-Number(child.pid), "SIGINT"),
    ended,
  };
}
