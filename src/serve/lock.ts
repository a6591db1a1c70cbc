/** One server for one data folder. */

import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Stop } from "./stop.ts";

/**
 * Takes the folder for this process, and makes it if need be. The lock is SQLite's own on a file in the
 * folder, so the system takes it back when the process ends, however it ends.
 *
 * @throws {Stop} if the folder can't be written, or another server has it.
 */
export function lockFolder(folder: string): void {
  try {
    // One level only: a mistyped path should not grow a tree of folders.
    if (!existsSync(folder)) mkdirSync(folder);
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
