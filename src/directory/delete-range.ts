/** Removing many keys, from the caller's side. */

import { breath } from "../lib/breath.ts";
import type { BucketCall } from "./directory.ts";
import type { KeyRange } from "../model/key-range.ts";

/** What it is worth to remove a key: see {@link breath}. */
const KEY_UNITS = 4;

/**
 * Removes all keys of a range, in parts, each of which is one transaction and tells that it is done: a request that is
 * cut off leaves whole parts behind it.
 *
 * @param ask one bucket, whoever has its name later
 * @returns how many there were; undefined if there is no such bucket
 */
export async function removeAll(ask: BucketCall, range: KeyRange): Promise<number | undefined> {
  for (let removed = 0; ;) {
    const part = await ask((bucket) => bucket.removeRange(range));
    if (part === undefined) return undefined;
    removed += part.removed;
    if (!part.more) return removed;
    const pause = breath.take(part.removed * KEY_UNITS);
    if (pause !== undefined) await pause;
  }
}
