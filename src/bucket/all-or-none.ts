/** Several calls in one transaction, none of which may fail for another. */

import type { Entries } from "../store/entries.ts";

/**
 * Runs several calls in one transaction. If one throws, as each that writes does on a full disk, the result is empty: nothing
 * was done, and each has to go alone.
 */
export function allOrNone<T>(
  entries: Entries,
  calls: readonly unknown[],
  run: () => readonly T[],
): readonly T[] {
  const { revision } = entries.log.totals();
  try {
    return run();
  } catch (error) {
    // What has been stored must not be done again: then it is what follows a write that has failed.
    if (calls.length === 1 || entries.log.totals().revision !== revision) throw error;
    return [];
  }
}
