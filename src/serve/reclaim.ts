/** Disk that objects no longer need, given back while no engine runs: it can't do so itself. */

import { DatabaseSync } from "node:sqlite";
import { inspect, objectFiles, removeFile, type ObjectFile } from "./object-files.ts";

export interface ReclaimOptions {
  /** Milliseconds that never go back. */
  readonly clock: () => number;
  /** How long this may take, about, in milliseconds; what is left is left to the next start. */
  readonly withinMs: number;
}

export interface Reclaimed {
  /** Files that are gone. */
  readonly removed: number;
  /** Files that are smaller. */
  readonly compacted: number;
  /** Bytes of all that. */
  readonly bytes: number;
}

/**
 * What is stored in a file is copied at about this pace, in bytes a millisecond (60 MB/s were measured): one that would take
 * longer than there is time is left as it is, as a copy can't be broken off.
 */
const COPIED_PER_MS = 40_000;
/** A file with less free space in it is left as it is: the space will be used. In bytes. */
const MIN_FREE_BYTES = 4 * 1_048_576;
/** And one in which more is stored than is free: to write it anew would take longer than it is worth. */
const MIN_FREE_PART = 1 / 2;

/**
 * Removes the files of objects that hold nothing, which is what an object leaves behind when its storage is wiped, and
 * writes those anew in which most is free: SQLite uses free pages again, but never gives them back by itself, and the
 * engine's objects are not allowed to ask for it (`VACUUM`, `PRAGMA incremental_vacuum`).
 *
 * To be called while nothing else has the folders: under the data folder's lock, before an engine is started. Then nothing
 * can be lost: without its file an object that held nothing holds nothing, and SQLite writes a database anew in one
 * transaction, which is cut off as a whole or not at all.
 */
export function reclaim(folders: readonly string[], { clock, withinMs }: ReclaimOptions): Reclaimed {
  const until = clock() + withinMs;
  let removed = 0;
  let compacted = 0;
  let bytes = 0;
  const large: ObjectFile[] = [];
  for (const path of folders.flatMap((folder) => shuffled([...objectFiles(folder)]))) {
    if (clock() >= until) break;
    const file = inspect(path);
    if (file?.isEmpty === true) {
      removeFile(path);
      removed += 1;
      bytes += file.size;
    } else if (file !== undefined && isMostlyFree(file)) large.push(file);
  }
  for (const file of large.toSorted((one, other) => stored(one) - stored(other))) {
    if (stored(file) > (until - clock()) * COPIED_PER_MS) break;
    if (!compact(file)) continue;
    compacted += 1;
    bytes += file.free;
  }
  return { removed, compacted, bytes };
}

function isMostlyFree({ size, free }: ObjectFile): boolean {
  return free >= MIN_FREE_BYTES && free >= size * MIN_FREE_PART;
}

function stored({ size, free }: ObjectFile): number {
  return size - free;
}

/** @returns whether it was written anew */
function compact({ path }: ObjectFile): boolean {
  try {
    const database = new DatabaseSync(path);
    try {
      database.exec("VACUUM");
    } finally {
      database.close();
    }
    return true;
  } catch (error) {
    // No room for the copy, or a page that can't be read: it is as it was, and the object will say so itself.
    process.stderr.write(`${path} could not be made smaller: ${(error as Error).message}\n`);
    return false;
  }
}

/** Where there is no time for all, it is not the same ones that are left each time. */
function shuffled(paths: string[]): string[] {
  const first = Math.floor(Math.random() * paths.length);
  return [...paths.slice(first), ...paths.slice(0, first)];
}
