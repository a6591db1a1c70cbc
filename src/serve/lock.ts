/** Locks the data folder, so that only one server uses it. */

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, existsSync, lstatSync, mkdirSync, openSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { StartupError } from "./run-program.ts";
import { sqlite } from "./sqlite.ts";

/** Milliseconds to wait for the engine of a server that was just killed. */
const MAX_LINGER_MS = 3_000;
const CHECK_EVERY_MS = 20;

/**
 * Locks the folder for this process and its engine, and creates it if it does not exist. There are two kinds of lock,
 * because either of the two processes may be killed without the other:
 *
 * 1. A lock that this process holds: of two servers that start at once, one fails. It is SQLite's lock on a file, and on
 *    Linux also a socket with an abstract name (unix(7)), so that a Node without SQLite locks the folder too.
 * 2. A named pipe that the engine keeps open for reading. A pipe without a reader can't be opened for writing (`ENXIO`,
 *    POSIX `open`), which shows whether an engine is still alive.
 *
 * The system releases them when the processes end, however they end. This process's own come first: only their holder
 * checks or creates the pipe.
 *
 * @returns a descriptor for the engine to inherit; undefined where there are no named pipes (Windows, some network file
 *   systems): there the folder is free as soon as this process ends
 * @throws {StartupError} if the folder can't be written, or is in use
 */
export async function lockFolder(folder: string): Promise<number | undefined> {
  await takeLocks(folder);
  const pipe = join(folder, "engine");
  if (!isPipe(pipe)) return undefined;
  const until = performance.now() + MAX_LINGER_MS;
  while (hasReader(pipe)) {
    if (performance.now() > until) {
      throw new StartupError(
        `The data folder ${folder} is in use by an engine whose server has gone. Stop that engine first.`,
      );
    }
    await wait(CHECK_EVERY_MS);
  }
  return openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
}

async function takeLocks(folder: string): Promise<void> {
  if (sqlite === undefined && !HAS_ABSTRACT_NAMES) {
    throw new StartupError(
      `This is Node ${process.versions.node}. The server needs Node 22.13 or newer here, or --memory.`,
    );
  }
  try {
    // Not recursive: a mistyped path must not create a tree of folders.
    if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
    if (HAS_ABSTRACT_NAMES) await lockName(folder);
    if (sqlite !== undefined) lockFile(new sqlite(join(folder, "lock")));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new StartupError(
      code === "EADDRINUSE" || message.includes("locked")
        ? `The data folder ${folder} is in use by another server. Stop that server, or choose another folder: --data DIR`
        : `The data folder ${folder} can't be written: ${message}`,
    );
  }
}

/** Locks are kept reachable: garbage collection would close and release them. */
const held: unknown[] = [];
const HAS_ABSTRACT_NAMES = process.platform === "linux";

function lockFile(lock: InstanceType<NonNullable<typeof sqlite>>): void {
  held.push(lock);
  lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
}

/** Takes the name of the folder's inode, which is the same for every path that leads to it. @throws `EADDRINUSE` */
async function lockName(folder: string): Promise<void> {
  const { dev, ino } = statSync(folder, { bigint: true });
  // Nothing is served here: who connects is cut off.
  const socket = createServer((connection) => connection.destroy());
  held.push(socket);
  socket.listen({ path: `\0durable-kv:${dev}:${ino}` });
  await once(socket, "listening");
  socket.unref();
}

/** Creates the named pipe if it does not exist. @returns whether there is one */
function isPipe(path: string): boolean {
  if (!existsSync(path)) spawnSync("mkfifo", ["-m", "600", path], { stdio: "ignore" });
  return existsSync(path) && lstatSync(path).isFIFO();
}

function hasReader(pipe: string): boolean {
  try {
    closeSync(openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENXIO") return false;
    throw error;
  }
}
