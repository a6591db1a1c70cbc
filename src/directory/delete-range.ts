/** Deletes the keys of a range from the caller's side, part by part. */

import { breath } from "../lib/breath.ts";
import type { KeyRange } from "../model/key-range.ts";
import type { Ask } from "./directory.ts";

/** What it costs to delete a key: see {@link breath}. */
const KEY_UNITS = 4;

/**
 * Each part is one transaction, acknowledged by itself: a request that is cut off leaves whole parts done.
 *
 * @param ask one bucket, never its successor
 * @returns how many keys there were
 */
export async function deleteRange(ask: Ask, range: KeyRange): Promise<number> {
  for (let deleted = 0; ;) {
    const { removed, more } = await ask((bucket) => bucket.removeRange(range));
    deleted += removed;
    if (!more) return deleted;
    const pause = breath.take(removed * KEY_UNITS);
    if (pause !== undefined) await pause;
  }
}
