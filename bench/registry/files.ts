/** What a server keeps on disk, seen while none runs. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Paths of everything in a data folder. */
export function filesOf(data: string): string[] {
  return readdirSync(data, { recursive: true, encoding: "utf8" }).map((file) => join(data, file));
}

/** Paths of the objects' databases; the files beside them come and go with SQLite's journal. */
export function databasesOf(data: string): string[] {
  return filesOf(data).filter((file) => file.endsWith(".sqlite"));
}

/** Paths of the databases of registry partitions that were used. */
export function partitionsOf(data: string): string[] {
  return databasesOf(data).filter((file) => {
    const database = new DatabaseSync(file);
    const names = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'names'").get();
    database.close();
    return names !== undefined;
  });
}
