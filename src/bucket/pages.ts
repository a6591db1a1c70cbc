/** Pages of a bucket's listing. */

import type { ListQuery } from "../model/entry.ts";
import { bucketChanged } from "../model/errors.ts";
import { draftText, pageText } from "../schema/entry-json.ts";
import type { Entries } from "../store/entries.ts";

/** A list goes on only in the bucket in which it began. @throws {KvError} `bucket_changed` */
export function checkIncarnation(incarnation: string, query: ListQuery): void {
  if ((query.incarnation ?? incarnation) !== incarnation) throw bucketChanged();
}

/** A page as the JSON text of a `KeysPage`. */
export function listText(entries: Entries, incarnation: string, query: ListQuery): string {
  const draft = entries.draft(query, incarnation);
  if (draft !== undefined) return draftText(incarnation, draft);
  const { entries: listed, more } = entries.list(query);
  return pageText(incarnation, listed, more);
}
