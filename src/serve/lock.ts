/** Locks the data folder, so that only one server uses it. */

import { spawnSync } from "node:child_process";
import { closeSync, constants, existsSync, lstatSync, mkdirSync, openSync } from "node:fs";
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
 * 1. A lock that this process holds: of two servers that start at once, one fails. It is SQLite's lock on a file, and where
 *    there is `flock` (util-linux, BusyBox) also one on the folder, so that a Node without SQLite locks it too.
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
  takeLocks(folder);
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

function takeLocks(folder: string): void {
  try {
    // Not recursive: a mistyped path must not create a tree of folders.
    if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
    const flocked = flock(openSync(folder, constants.O_RDONLY));
    if (sqlite !== undefined) lockFile(new sqlite(join(folder, "lock")));
    else if (!flocked) throw new StartupError(noLock());
  } catch (error) {
    if (error instanceof StartupError) throw error;
    const { message } = error as Error;
    throw new StartupError(
      error instanceof InUse || message.includes("locked")
        ? `The data folder ${folder} is in use by another server. Stop that server, or choose another folder: --data DIR`
        : `The data folder ${folder} can't be written: ${message}`,
    );
  }
}

class InUse extends Error {}

/** The exit code of `flock -n` when another process holds the lock. */
const HELD_BY_ANOTHER = 1;
/** Locks are kept reachable: garbage collection would close and release them. */
const held: unknown[] = [];

function lockFile(lock: InstanceType<NonNullable<typeof sqlite>>): void {
  held.push(lock);
  lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
}

/**
 * Takes the lock of an open file (flock(2)), which Node itself can't. It belongs to what both processes have opened, and so
 * stays when `flock` has ended, until this process ends.
 * @returns false where there is no `flock`, or none for this file system @throws {InUse}
 */
function flock(descriptor: number): boolean {
  const { status } = spawnSync("flock", ["-n", "3"], { stdio: ["ignore", "ignore", "ignore", descriptor] });
  if (status === HELD_BY_ANOTHER) throw new InUse();
  return status === 0;
}

function noLock(): string {
  return `This is Node ${process.versions.node}. To lock its data folder, the server needs Node 22.13 or newer, or the command flock; or run it with --memory.`;
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
