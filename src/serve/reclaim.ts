/** Frees disk space that objects no longer need, while no engine runs, because the engine can't do it itself. */

import { inspect, isMark, objectFiles, removeFile, type ObjectFile } from "./object-files.ts";
import { sqlite } from "./sqlite.ts";

export interface ReclaimOptions {
  /** A monotonic clock, in milliseconds. */
  readonly clock: () => number;
  /** Approximate time limit in milliseconds. The rest is done at the next start. */
  readonly withinMs: number;
}

export interface Reclaimed {
  /** Number of removed files. */
  readonly removed: number;
  /** Number of files that became smaller. */
  readonly compacted: number;
  /** Bytes freed in total. */
  readonly bytes: number;
}

/**
 * Assumed speed of a copy, in bytes per millisecond (60 MB/s were measured). A file whose copy would exceed the time
 * limit is skipped, because a copy can't be interrupted.
 */
const COPIED_PER_MS = 40_000;
/** Files with fewer free bytes are skipped: the space will be used again. */
const MIN_FREE_BYTES = 4 * 1_048_576;
/** Files with a smaller share of free space are skipped: the copy would cost more than it frees. */
const MIN_FREE_PART = 1 / 2;

/**
 * Removes files that are empty or hold no more than the mark of an end, which objects leave behind when their storage is
 * wiped, and compacts files that are mostly free. SQLite reuses free pages but never returns them by itself, and objects
 * are not allowed to run `VACUUM` or `PRAGMA incremental_vacuum`.
 *
 * Call it only under the data folder's lock and before an engine is started. Then no data can be lost: an object
 * without data needs no file, and `VACUUM` is one transaction, which a crash rolls back as a whole.
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
    if (file !== undefined && (file.isEmpty || isMark(file))) {
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

/** @returns whether the file was compacted: never on a Node without SQLite, where it waits for a newer one */
function compact({ path }: ObjectFile): boolean {
  if (sqlite === undefined) return false;
  try {
    const database = new sqlite(path);
    try {
      database.exec("VACUUM");
    } finally {
      database.close();
    }
    return true;
  } catch (error) {
    // No disk space for the copy, or an unreadable page. The file is unchanged, and the object will report the error.
    process.stderr.write(`${path} could not be compacted: ${(error as Error).message}\n`);
    return false;
  }
}

/** Starts at a random file, so that a time limit does not skip the same files at every start. */
function shuffled(paths: string[]): string[] {
  const first = Math.floor(Math.random() * paths.length);
  return [...paths.slice(first), ...paths.slice(0, first)];
}
