/** Reads a disk without the product: SQLite recovers each database, and the rows say what a server would serve. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Buckets } from "./changes.ts";
import type { Found } from "./verdict.ts";

const REGISTRY = "durable-kv-Registry";
const BUCKETS = "durable-kv-Bucket";

export function readBySqlite(data: string): Found {
  const errors: string[] = [];
  const buckets: Buckets = new Map();
  for (const path of databasesIn(data, BUCKETS)) read(join(data, path), errors, () => undefined);
  for (const [name, file] of bucketFiles(data, errors)) {
    const keys = keysOf(join(data, file), errors);
    // A bucket without tables has ended, and has yet to tell the registry, which asks it before it answers with its name.
    if (keys !== undefined) buckets.set(name, keys);
  }
  return { buckets, listed: [...buckets.keys()], errors };
}

/** The buckets that the registry finds, and the file of each in the data folder. */
export function bucketFiles(data: string, errors: string[] = []): Map<string, string> {
  const files = new Map<string, string>();
  for (const path of databasesIn(data, REGISTRY)) {
    read(join(data, path), errors, (registry) => {
      if (!hasTable(registry, "names")) return;
      // A bucket in another state is undone or stopped by the next that is done with its name.
      const names = registry.prepare(
        "SELECT name, id FROM names WHERE state NOT IN ('starting', 'stopping')",
      );
      for (const { name, id } of names.all() as { name: string; id: string }[]) {
        files.set(name, join(BUCKETS, `${id}.sqlite`));
      }
    });
  }
  return files;
}

/** Paths in the data folder. */
function databasesIn(data: string, folder: string): string[] {
  const path = join(data, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((name) => name.endsWith(".sqlite"))
    .map((name) => join(folder, name));
}

function keysOf(path: string, errors: string[]): Map<string, string> | undefined {
  const keys = new Map<string, string>();
  let alive = false;
  if (!existsSync(path)) return undefined;
  read(path, errors, (bucket) => {
    alive = hasTable(bucket, "entries");
    if (!alive) return;
    const chunks = bucket.prepare("SELECT bytes FROM chunks WHERE large = ? ORDER BY n");
    const rows = bucket.prepare("SELECT key, value, large FROM entries").all();
    for (const { key, value, large } of rows as {
      key: string;
      value: string | Uint8Array;
      large: string | null;
    }[]) {
      const parts = large === null ? [value] : chunks.all(large).map(({ bytes }) => bytes as Uint8Array);
      keys.set(
        key,
        parts.map((part) => (typeof part === "string" ? part : Buffer.from(part).toString())).join(""),
      );
    }
  });
  return alive ? keys : undefined;
}

function hasTable(database: DatabaseSync, table: string): boolean {
  return (
    database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(table) !== undefined
  );
}

/** Opens a database, which recovers it, and checks it. */
function read(path: string, errors: string[], use: (database: DatabaseSync) => void): void {
  try {
    const database = new DatabaseSync(path);
    try {
      const checked = database.prepare("PRAGMA integrity_check").get()?.["integrity_check"];
      if (checked !== "ok") errors.push(`${path}: ${String(checked).slice(0, 200)}`);
      use(database);
    } finally {
      database.close();
    }
  } catch (error) {
    errors.push(`${path}: ${String(error)}`);
  }
}
