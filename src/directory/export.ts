/** Exports all entries of a bucket with their values, of any size. */

import type { EntryInfo } from "../model/entry.ts";
import type { KeyRange } from "../model/key-range.ts";
import type { EntriesPage } from "../rpc/bucket-rpc.ts";
import { incarnationOfTag } from "../model/conditions.ts";
import type { Value } from "../model/value.ts";
import type { Read, StoredValue } from "./stored-value.ts";

/** An entry as of the moment when its page was read. A large one: as of the moment when its value was opened. */
export interface ExportedEntry {
  readonly key: string;
  readonly info: EntryInfo;
  readonly incarnation: string;
  readonly value: Value | StoredValue;
}

/** The bucket to export. All calls must reach the same bucket, never its successor. */
export interface Source {
  pages(range: KeyRange & { readonly values: boolean }): AsyncGenerator<EntriesPage, void, void>;
  get(key: string): Promise<Read>;
}

/** Entries ordered by key, in groups. A large entry is a group of its own; its value is read when it is consumed. */
export async function* exportEntries(
  bucket: Source,
  range: KeyRange,
): AsyncGenerator<readonly ExportedEntry[], void, void> {
  for await (const { incarnation, entries } of bucket.pages({ ...range, values: true })) {
    let group: ExportedEntry[] = [];
    for (const { key, value, ...info } of entries) {
      if (value !== undefined) {
        group.push({ key, info, incarnation, value });
        continue;
      }
      yield group;
      group = [];
      const found = await bucket.get(key);
      if (found.outcome !== "found") continue; // deleted meanwhile
      yield [{ key, info: found.entry, incarnation: incarnationOfTag(found.etag), value: found.value }];
    }
    // Also an empty group: the caller waits for the first group before it responds.
    yield group;
  }
}
