/** The import of entries: writes only those that differ from the stored ones. */

import { failureOf } from "../model/errors.ts";
import { isLarge, type LargeValue } from "../model/large-value.ts";
import type { Restored, RestoredEntry } from "../model/restored.ts";
import { Refusal } from "../otp/exit.ts";
import type { Clock } from "../otp/timers.ts";
import { sameBytes, TEXT_TYPE, type Value } from "../model/value.ts";
import type { Entries } from "./entries.ts";
import type { Entry } from "../model/entry.ts";

/**
 * Puts the entries that differ from the stored ones. Repeating an import changes nothing, so watchers receive nothing.
 * Call it inside {@link Entries.write}.
 * @param options.stop whether the first entry that is refused ends the import
 * @returns one result for each entry; with `stop`, only up to the refused one
 */
export function restore(
  entries: Entries,
  given: readonly RestoredEntry[],
  { clock, stop }: { readonly clock: Clock; readonly stop: boolean },
): Restored[] {
  const results: Restored[] = [];
  let stopped = false;
  for (const entry of given) {
    if (stopped) {
      dropUpload(entries, entry); // the import stopped before this entry
      continue;
    }
    const restored = restoreOne(entries, entry, clock);
    results.push(restored);
    stopped = stop && typeof restored === "object";
  }
  return results;
}

function restoreOne(entries: Entries, entry: RestoredEntry, clock: Clock): Restored {
  const restored = outcomeOf(entries, entry, clock);
  if (restored !== "imported") dropUpload(entries, entry);
  return restored;
}

function outcomeOf(entries: Entries, entry: RestoredEntry, clock: Clock): Restored {
  const { lifetime } = entry.properties;
  if (lifetime !== undefined && "expires" in lifetime && lifetime.expires <= clock()) return "expired";
  if (isThere(entries, entry)) return "unchanged";
  try {
    entries.put(entry.key, entry.value, entry.properties);
    return "imported";
  } catch (error) {
    if (error instanceof Refusal) return failureOf(error);
    throw error;
  }
}

/** Removes the uploaded chunks of an entry that was not put, instead of leaving them to the sweep. */
function dropUpload(entries: Entries, { value }: RestoredEntry): void {
  if (isLarge(value)) entries.large.drop(value.large);
}

/** Whether the same entry exists. An entry with a ttl never counts as the same, because each import restarts its ttl. */
function isThere(entries: Entries, { key, value, properties }: RestoredEntry): boolean {
  const { type = null, metadata = null, lifetime } = properties;
  if (lifetime !== undefined && "ttl" in lifetime) return false;
  const found = entries.get(key);
  return (
    found !== undefined &&
    (found.type ?? TEXT_TYPE) === (type ?? TEXT_TYPE) &&
    found.metadata === metadata &&
    found.expires === (lifetime?.expires ?? null) &&
    hasValue(entries, found, value)
  );
}

function hasValue(entries: Entries, { value, large, size }: Entry, restored: Value | LargeValue): boolean {
  if (large === null) return !isLarge(restored) && sameBytes(value, restored);
  return isLarge(restored) && entries.large.same({ large, size }, restored);
}
