/** Files of Durable Objects on this machine: which of them hold nothing, and how much of them is free. */

import { closeSync, openSync, readdirSync, readSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

/** One object's SQLite database. Its write-ahead log and shared memory lie beside it while it is open, or was cut off. */
export interface ObjectFile {
  readonly path: string;
  /** Bytes of the database, without its log. */
  readonly size: number;
  /** Bytes of pages that hold nothing. */
  readonly free: number;
  /** Whether nothing at all is stored in it. */
  readonly isEmpty: boolean;
}

/** Named after its object's id. What else the engine keeps in the folder is its own (`metadata.sqlite`: the alarms). */
const OBJECT_FILE = /^[0-9a-f]{64}\.sqlite$/;
const MAGIC = "SQLite format 3\0";
/** The database's header, and that of its first page (sqlite.org/fileformat2.html §1.3, §1.6). */
const HEADER_BYTES = 108;
const PAGE_SIZE_AT = 16;
const PAGES_AT = 28;
const FREE_PAGES_AT = 36;
const CELLS_AT = 103;

/** The objects' files in the folder of a class; none, if there is no such folder. */
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
 * What a file says of itself.
 * @returns undefined where it does not say everything: a log lies beside it that has not been worked into it, or it is no
 *   database that we know
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
  if (read === 0) return { path, size, free: 0, isEmpty: true };
  if (read < HEADER_BYTES || header.toString("latin1", 0, MAGIC.length) !== MAGIC) return undefined;
  // 1 stands for 65,536.
  const pageSize = header.readUInt16BE(PAGE_SIZE_AT) === 1 ? 65_536 : header.readUInt16BE(PAGE_SIZE_AT);
  const pages = header.readUInt32BE(PAGES_AT);
  if (pages * pageSize !== size) return undefined;
  return {
    path,
    size,
    free: header.readUInt32BE(FREE_PAGES_AT) * pageSize,
    // Its one page is the list of its tables, and that has none.
    isEmpty: pages === 1 && header.readUInt16BE(CELLS_AT) === 0,
  };
}

/** Removes an object's file, and what lies beside it. The engine makes another one for an object that it meets again. */
export function removeFile(path: string): void {
  for (const suffix of ["-wal", "-shm", ""]) rmSync(path + suffix, { force: true });
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
