/**
 * The command: within this process, where most is tried, as to start one takes longer than most of what it is then told
 * to do; and as a user runs it, in a process of its own.
 */

import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { PassThrough, type Readable, type Writable } from "node:stream";
import { inject } from "vitest";
import type { CommandProcess } from "../../../src/cli/process.ts";
import { run } from "../../../src/cli/run.ts";

/** What `kv` stands for in a shell. */
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
  /** Sends a signal, SIGINT if left out. */
  readonly interrupt: (signal?: NodeJS.Signals) => void;
  readonly ended: Promise<Ran>;
}

export interface CliOptions {
  readonly url: string;
  readonly input?: string | Uint8Array;
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether what is printed is looked at on a terminal. */
  readonly terminal?: boolean;
}

/** Starts `kv` within this process; its stdin stays open. */
export function startKv(
  { url, environment = {}, terminal = false }: CliOptions,
  ...args: readonly string[]
): Running {
  const signals = new EventEmitter();
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  Object.assign(streams.stdout, { isTTY: terminal });
  const standIn: CommandProcess = Object.assign(signals, {
    ...streams,
    env: { ...process.env, KV_TOKEN: undefined, NO_COLOR: undefined, KV_URL: url, ...environment },
    exitCode: 0,
  });
  const end = async (): Promise<number> => {
    await run(args, standIn);
    streams.stdout.end();
    streams.stderr.end();
    return Number(standIn.exitCode);
  };
  return observe(streams, end(), (signal) => void signals.emit(signal));
}

/** Starts `kv` in a process of its own; its stdin stays open. */
export function startKvProcess({ url, environment = {} }: CliOptions, ...args: readonly string[]): Running {
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
  const closed = once(child, "close").then(([code]) => code as number | null);
  return observe(child, closed, (signal) => void process.kill(-Number(child.pid), signal));
}

interface Streams {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

function observe(
  { stdin, stdout, stderr }: Streams,
  exit: Promise<number | null>,
  interrupt: (signal: NodeJS.Signals) => void,
): Running {
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  const waiting = new Set<() => void>();
  stdout.on("data", (chunk: Buffer) => {
    out.push(chunk);
    for (const look of waiting) look();
  });
  stderr.on("data", (chunk: Buffer) => err.push(chunk));
  // A program that does not read its stdin may end before all of it is written.
  stdin.on("error", () => undefined);
  const text = (): string => Buffer.concat(out).toString();
  const end = async (): Promise<Ran> => {
    const [code] = await Promise.all([exit, ended(stdout), ended(stderr)]);
    return {
      code,
      bytes: new Uint8Array(Buffer.concat(out)),
      out: text(),
      err: Buffer.concat(err).toString(),
      json: () =>
        text()
          .split("\n")
          .slice(0, -1)
          .map((line) => JSON.parse(line) as unknown),
    };
  };
  const ran = end();
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
      const first = await Promise.race([found, ran]);
      if (first === "found" || pattern.test(first.out)) return;
      throw new Error(`it ended (${first.code}) before ${pattern}:\n${first.out}${first.err}`);
    },
    write: (data) => void stdin.write(data),
    end: (last) => void stdin.end(last),
    interrupt: (signal = "SIGINT") => interrupt(signal),
    ended: ran,
  };
}

/** Waits until a stream has no more. */
async function ended(stream: Readable): Promise<void> {
  if (!stream.readableEnded) await once(stream, "end");
}
