/** A data folder's files, while no server runs. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** All paths in a data folder. */
export function filesOf(data: string): string[] {
  return readdirSync(data, { recursive: true, encoding: "utf8" }).map((file) => join(data, file));
}

/** Paths of the objects' databases, without SQLite's temporary files. */
export function databasesOf(data: string): string[] {
  return filesOf(data).filter((file) => file.endsWith(".sqlite"));
}

/** Paths of the databases of registry partitions with data. */
export function partitionsOf(data: string): string[] {
  return databasesOf(data).filter((file) => {
    const database = new DatabaseSync(file);
    const names = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'names'").get();
    database.close();
    return names !== undefined;
  });
}
