/** One server for one data folder. */

import { spawnSync } from "node:child_process";
import { closeSync, constants, existsSync, lstatSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { Stop } from "./stop.ts";

/** How long the engine of a server that has just been killed may take to end, in milliseconds. */
const MAX_LINGER_MS = 3_000;
const LOOK_EVERY_MS = 20;

/**
 * Takes the folder for this process and its engine, and makes it if need be. There are two locks, because there are
 * two processes, and either may be killed without the other:
 *
 * 1. SQLite's own lock on a file, which is this process's: two servers that start at once do not both go on.
 * 2. A named pipe that the engine holds open for reading. A pipe with a reader can be opened for writing, one without
 *    can't (`ENXIO`, POSIX `open`): so the folder is taken for as long as any engine lives.
 *
 * The system takes both back when the processes end, however they end. The lock comes first: only its
 * holder looks at the pipe or makes one.
 *
 * @returns a descriptor for the engine to inherit; undefined where there are no named pipes (Windows, some network
 *   file systems): there the folder is free as soon as this process has ended.
 * @throws {Stop} if the folder can't be written, or another server has it.
 */
export async function lockFolder(folder: string): Promise<number | undefined> {
  takeLock(folder);
  const pipe = join(folder, "engine");
  if (!isPipe(pipe)) return undefined;
  const until = performance.now() + MAX_LINGER_MS;
  while (hasReader(pipe)) {
    if (performance.now() > until) {
      throw new Stop(
        `The data folder ${folder} is in use by an engine whose server has gone. End that first.`,
      );
    }
    await wait(LOOK_EVERY_MS);
  }
  return openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
}

function takeLock(folder: string): void {
  try {
    // One level only: a mistyped path should not grow a tree of folders.
    if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
    const lock = new DatabaseSync(join(folder, "lock"));
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    // Held by being reachable: a collected database is closed, and a closed one is unlocked.
    held.push(lock);
  } catch (error) {
    const { message } = error as Error;
    throw new Stop(
      message.includes("locked")
        ? `The data folder ${folder} is in use by another server. Stop that one, or give this one its own: --data DIR`
        : `The data folder ${folder} can't be written: ${message}`,
    );
  }
}

const held: DatabaseSync[] = [];

/** Whether there is a named pipe, made if need be. */
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
