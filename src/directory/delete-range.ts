/** Deletes the keys of a range in several transactions, so that no single one blocks the bucket for long. */

import { breath } from "../lib/breath.ts";
import type { KeyRange } from "../model/key-range.ts";
import type { Ask } from "./directory.ts";

/** The cost of deleting one key: see {@link breath}. */
const KEY_UNITS = 4;

/**
 * Each call is one transaction. A request that is cut off leaves whole transactions done.
 *
 * @param ask calls one bucket, never its successor
 * @returns how many keys were deleted
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
