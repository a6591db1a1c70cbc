/** A bucket's tables for tests, without a bucket around them. */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Change } from "../../src/model/change.ts";
import type { ChangeLogOptions } from "../../src/store/change-log.ts";
import { Entries } from "../../src/store/entries.ts";

export interface Tables {
  readonly entries: Entries;
  readonly storage: DurableObjectStorage;
  /** Milliseconds since the epoch; the entries' clock. */
  readonly time: { now: number };
  /** What has been published. */
  readonly published: Change[];
  /** The same storage under another object, as after an eviction. */
  readonly again: (log?: Partial<ChangeLogOptions>, clock?: () => number) => Entries;
}

/** Runs `body` with fresh tables inside an object. */
export function withEntries<T>(
  name: string,
  body: (tables: Tables) => T | Promise<T>,
  log: Partial<ChangeLogOptions> = {},
): Promise<T> {
  return runInDurableObject(env.BUCKET.getByName(name), (_, { storage }) => {
    const time = { now: 1_000_000 };
    const published: Change[] = [];
    const again = (changed: Partial<ChangeLogOptions> = {}, clock = () => time.now): Entries =>
      new Entries(storage, {
        clock,
        log: { limit: 10_000, maxAgeMs: 1e12, ...log, ...changed },
        changed: (changes) => published.push(...changes),
      });
    const entries = again();
    entries.createTables();
    return body({ entries, storage, time, published, again });
  });
}

/** Removes all that is in the tables. */
export function emptyTables({ storage, entries, published }: Tables): void {
  for (const table of ["entries", "log", "chunks", "unowned"]) {
    storage.sql.exec(`DROP TABLE IF EXISTS ${table}`);
  }
  entries.reset();
  entries.createTables();
  published.length = 0;
}

/** The order of UTF-8. */
export function inByteOrder(one: string, other: string): number {
  const [a, b] = [new TextEncoder().encode(one), new TextEncoder().encode(other)];
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    if (a[at] !== b[at]) return Number(a[at]) - Number(b[at]);
  }
  return a.length - b.length;
}
