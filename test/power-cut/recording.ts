/** Lives of a server under strace: what it did to its files, and when it acknowledged what. */

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { collect, type Addresses } from "../e2e/support/server.ts";
import { Random } from "../support/random.ts";
import { MAX_STRING, readTrace, SYSCALLS, type Operation } from "./trace.ts";
import { newWriter, write, type Done, type Writer } from "./writers.ts";

/** How a life of the server ends. A kill leaves the write-ahead logs to the next life. */
export type End = "stop" | "kill";

/** Changes of each writer in each life. */
export interface Life {
  readonly changes: number;
  readonly end: End;
}

export interface Stamped extends Done {
  /** Index of the operation that has sent its acknowledgement. */
  readonly acknowledged: number;
}

export interface Recorded {
  readonly operations: readonly Operation[];
  readonly writers: readonly { readonly name: string; readonly changes: readonly Stamped[] }[];
  /** The data folder as it was at the end. */
  readonly data: string;
}

/** @param folder an empty one, for the data and the trace */
export async function record(seed: number, folder: string, lives: readonly Life[]): Promise<Recorded> {
  const data = join(folder, "data");
  mkdirSync(data, { mode: 0o700 });
  const random = new Random(seed);
  const writers = [
    newWriter("h1", "HTTP"),
    newWriter("h2", "HTTP"),
    newWriter("t1", "TCP"),
    newWriter("t2", "TCP"),
  ];
  const operations: Operation[] = [];
  for (const [n, { changes, end }] of lives.entries()) {
    const trace = join(folder, `trace-${n}`);
    const server = await start(data, trace);
    await Promise.all(
      writers.map((writer) => write(writer, server, new Random(random.below(2 ** 31)), changes)),
    );
    await server.end(end);
    const begin = operations.length;
    operations.push(...(await readTrace(trace, data)));
    const replies = repliesIn(operations.slice(begin), begin, server.httpPort);
    for (const writer of writers) stampLife(writer, replies);
  }
  return {
    operations,
    writers: writers.map(({ name, done }) => ({ name, changes: done as Stamped[] })),
    data,
  };
}

/** Puts the position of its acknowledgement on each change of a life. */
function stampLife(writer: Writer, replies: ReadonlyMap<string, number[]>): void {
  for (const [n, done] of writer.done.entries()) {
    if ("acknowledged" in done) continue;
    const { connection, n: reply } = done.reply;
    const acknowledged = replies.get(connection)?.[reply];
    if (acknowledged === undefined) {
      throw new Error(`the trace has no reply ${reply} on ${connection} to ${writer.name}`);
    }
    writer.done[n] = { ...done, acknowledged } as Stamped;
  }
}

/**
 * Where each reply was sent, by connection: the operation that handed over its first byte (HTTP), or the end of its line.
 * A client can know it no earlier, so a cut after that operation must keep what it acknowledges. A system call is traced
 * before its thread goes on, so whatever the send waited for stands before it.
 */
function repliesIn(operations: readonly Operation[], begin: number, httpPort: number): Map<string, number[]> {
  const replies = new Map<string, number[]>();
  for (const [at, operation] of operations.entries()) {
    if (operation.kind !== "send") continue;
    const positions = replies.get(operation.connection) ?? [];
    const text = operation.bytes.toString("latin1");
    const isHttp = operation.connection.startsWith(`${httpPort}-`);
    const count = isHttp ? Number(text.startsWith("HTTP/1.1 ")) : text.split("\r\n").length - 1;
    for (let n = 0; n < count; n += 1) positions.push(begin + at);
    replies.set(operation.connection, positions);
  }
  return replies;
}

interface Traced extends Addresses {
  end(end: End): Promise<void>;
}

/** The server as its command line starts it, with all its processes traced from the first call on. */
async function start(data: string, trace: string): Promise<Traced> {
  const main = process.env["KV_TEST_SERVER"] ?? resolve(import.meta.dirname, "../../src/serve/main.ts");
  const { KV_TOKEN: _, ...env } = process.env;
  const strace = ["-f", "--seccomp-bpf", "-xx", "-yy", "-s", String(MAX_STRING), "-e", `trace=${SYSCALLS}`];
  const server = [process.execPath, "--disable-warning=ExperimentalWarning", main];
  const options = ["--port", "0", "--tcp-port", "0", "--data", data];
  const child = spawn("strace", [...strace, "-o", trace, ...server, ...options], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  const output = collect(child);
  const [http, tcp] = await Promise.all([
    output.until(/^Ready on http:\/\/\S+:(\d+)$/m),
    output.until(/^Ready on tcp:\/\/\S+:(\d+)$/m),
  ]);
  return {
    http: `http://127.0.0.1:${http}`,
    httpPort: Number(http),
    tcpPort: Number(tcp),
    async end(end) {
      // The engine ends when the server does; strace, when all of them have.
      process.kill(onlyChild(child), end === "stop" ? "SIGTERM" : "SIGKILL");
      await exited;
    },
  };
}

function onlyChild({ pid }: ChildProcess): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0]);
}

/** The regular files of a data folder, by their path in it; not what SQLite makes anew after a power cut. */
export function filesOf(data: string, below = ""): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const name of readdirSync(join(data, below))) {
    const path = join(below, name);
    const stats = statSync(join(data, path));
    if (stats.isDirectory()) for (const [file, bytes] of filesOf(data, path)) files.set(file, bytes);
    else if (stats.isFile() && !path.endsWith("-shm")) files.set(path, readFileSync(join(data, path)));
  }
  return files;
}
