/** What watchers are sent, in messages of bounded size. */

import { LOGGED_VALUE_BYTES } from "../store/log-record.ts";

/** Approximate bytes of values in one message. */
const PART_BYTES = 262_144;

/**
 * Splits changes, or entries, into parts of about {@link PART_BYTES}, one message each: JSON may be six times as long as a
 * value.
 */
export function* inParts<Item extends { readonly size: number }>(
  items: readonly Item[],
): Generator<readonly Item[], void, void> {
  let part: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    part.push(item);
    bytes += Math.min(item.size, LOGGED_VALUE_BYTES);
    if (bytes < PART_BYTES) continue;
    yield part;
    part = [];
    bytes = 0;
  }
  if (part.length > 0) yield part;
}
