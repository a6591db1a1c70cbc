/** A fault for the tests to find: half of each transaction that is under way is made on a disk. */

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { textOf, type Change } from "./changes.ts";
import type { Allowed } from "./expected.ts";
import { bucketFiles } from "./read-by-sqlite.ts";

export function doHalf(data: string, allowed: readonly Allowed[]): void {
  const files = bucketFiles(data);
  for (const { states, underWay } of allowed) {
    const [pair] = underWay;
    const file = files.get(pair?.bucket ?? "");
    if (pair?.kind === "pair" && file !== undefined) {
      makeHalf(join(data, file), pair, states[0]?.get(pair.bucket)?.get(pair.keys[1]));
    }
  }
}

/** The first key gets the new value, and the second has what it had. */
function makeHalf(path: string, pair: Change & { kind: "pair" }, before: string | undefined): void {
  const database = new DatabaseSync(path);
  const put = database.prepare("INSERT OR REPLACE INTO entries (key, value, revision) VALUES (?, ?, 1)");
  put.run(pair.keys[0], textOf(pair.value));
  if (before === undefined) database.prepare("DELETE FROM entries WHERE key = ?").run(pair.keys[1]);
  else put.run(pair.keys[1], before);
  database.close();
}
