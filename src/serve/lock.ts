/** Locks the data folder, so that only one server uses it. */

import { spawnSync } from "node:child_process";
import { closeSync, constants, existsSync, lstatSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { StartupError } from "./run-program.ts";

/** Milliseconds to wait for the engine of a server that was just killed. */
const MAX_LINGER_MS = 3_000;
const CHECK_EVERY_MS = 20;

/**
 * Locks the folder for this process and its engine, and creates it if it does not exist. There are two locks, because
 * either of the two processes may be killed without the other:
 *
 * 1. SQLite's lock on a file, held by this process: of two servers that start at once, one fails.
 * 2. A named pipe that the engine keeps open for reading. A pipe without a reader can't be opened for writing (`ENXIO`,
 *    POSIX `open`), which shows whether an engine is still alive.
 *
 * The system releases both when the processes end, however they end. The file lock comes first: only its holder checks
 * or creates the pipe.
 *
 * @returns a descriptor for the engine to inherit; undefined where there are no named pipes (Windows, some network file
 *   systems): there the folder is free as soon as this process ends
 * @throws {StartupError} if the folder can't be written, or is in use
 */
export async function lockFolder(folder: string): Promise<number | undefined> {
  takeLock(folder);
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

function takeLock(folder: string): void {
  try {
    // Not recursive: a mistyped path must not create a tree of folders.
    if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
    const lock = new DatabaseSync(join(folder, "lock"));
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    // Keep it reachable: garbage collection would close the database and release the lock.
    held.push(lock);
  } catch (error) {
    const { message } = error as Error;
    throw new StartupError(
      message.includes("locked")
        ? `The data folder ${folder} is in use by another server. Stop that server, or choose another folder: --data DIR`
        : `The data folder ${folder} can't be written: ${message}`,
    );
  }
}

const held: DatabaseSync[] = [];

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
