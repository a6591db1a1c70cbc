/** Inspects the SQLite files of Durable Objects: which are empty, and how much free space they have. */

import { closeSync, openSync, readdirSync, readSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { sqlite } from "./sqlite.ts";

/** One object's SQLite database. Its WAL and shared-memory files exist while it is open, and after a crash. */
export interface ObjectFile {
  readonly path: string;
  /** Size of the database in bytes, without its WAL. */
  readonly size: number;
  /** Bytes of free pages. */
  readonly free: number;
  /** Whether it has no tables. */
  readonly isEmpty: boolean;
  /** Whether it has so few pages in use that it can't be a bucket that lives. */
  readonly isTiny: boolean;
}

/** The file name is the object's id. Other files in the folder are the engine's, such as `metadata.sqlite` (alarms). */
const OBJECT_FILE = /^[0-9a-f]{64}\.sqlite$/;
const MAGIC = "SQLite format 3\0";
/** The database's header, and that of its first page (sqlite.org/fileformat2.html §1.3, §1.6). */
const HEADER_BYTES = 108;
const PAGE_SIZE_AT = 16;
const PAGES_AT = 28;
const FREE_PAGES_AT = 36;
const CELLS_AT = 103;
/** The schema table and the engine's two tables, and one to spare. */
const TINY_PAGES = 4;
/** What an object keeps for a minute of a bucket that has ended (docs/design.md). */
const MARK = ["otp:ended", "otp:timer/otp:forget", "otp:versions"];

/** Paths of the objects' files in a class's folder; none if the folder does not exist. */
export function* objectFiles(folder: string): Generator<string, void, void> {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  for (const name of names) if (OBJECT_FILE.test(name)) yield join(folder, name);
}

/**
 * Reads a file's header.
 * @returns undefined if the header is not conclusive: there is a WAL or journal that is not merged yet, or the file is
 *   not a database of the expected format
 */
export function inspect(path: string): ObjectFile | undefined {
  if (sizeOf(`${path}-wal`) > 0 || sizeOf(`${path}-journal`) > 0) return undefined;
  const header = Buffer.alloc(HEADER_BYTES);
  let read: number;
  const file = openSync(path, "r");
  try {
    read = readSync(file, header, 0, HEADER_BYTES, 0);
  } finally {
    closeSync(file);
  }
  const size = sizeOf(path);
  if (read === 0) return { path, size, free: 0, isEmpty: true, isTiny: true };
  if (read < HEADER_BYTES || header.toString("latin1", 0, MAGIC.length) !== MAGIC) return undefined;
  // A value of 1 means 65,536.
  const pageSize = header.readUInt16BE(PAGE_SIZE_AT) === 1 ? 65_536 : header.readUInt16BE(PAGE_SIZE_AT);
  const pages = header.readUInt32BE(PAGES_AT);
  if (pages * pageSize !== size) return undefined;
  const freePages = header.readUInt32BE(FREE_PAGES_AT);
  return {
    path,
    size,
    free: freePages * pageSize,
    isTiny: pages - freePages <= TINY_PAGES,
    // The only page is the schema table, and it has no rows.
    isEmpty: pages === 1 && header.readUInt16BE(CELLS_AT) === 0,
  };
}

/**
 * Whether all that an object keeps is the mark of its end. While no engine runs, no start can be on its way to it, so the
 * mark is not needed. False on a Node before 22.15, whose SQLite takes no URL or which has none.
 */
export function isMark({ path, isTiny }: ObjectFile): boolean {
  if (!isTiny || sqlite === undefined) return false;
  try {
    // Nothing writes to it, and it has no WAL: without locks and shared memory it is read in half of the time.
    const url = pathToFileURL(path);
    url.search = "?immutable=1";
    const database = new sqlite(url, { readOnly: true });
    try {
      const tables = database
        .prepare("SELECT name FROM sqlite_schema WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'")
        .all();
      const keys = database.prepare("SELECT key FROM _cf_KV").all();
      return tables.length === 0 && keys.every(({ key }) => MARK.includes(String(key)));
    } finally {
      database.close();
    }
  } catch {
    return false; // Not a database of the expected format: it is left alone.
  }
}

/** Removes an object's file, WAL and shared memory. The engine creates a new file if the object is used again. */
export function removeFile(path: string): void {
  for (const suffix of ["-wal", "-shm", ""]) rmSync(path + suffix, { force: true });
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
