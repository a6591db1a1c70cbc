/** Deletes an entry after its value was used, by compare-and-delete. */

import type { Conditions } from "../model/conditions.ts";
import { preconditionFailed } from "../model/errors.ts";
import { isRefusal } from "../otp/exit.ts";
import type { FoundRead, Read } from "./stored-value.ts";

/** Attempts while other callers keep changing the key. */
const MAX_ATTEMPTS = 100;

interface Keys {
  get(key: string, conditions: Conditions): Promise<Read>;
  /** @throws `precondition_failed` */
  delete(key: string, conditions: Conditions): Promise<unknown>;
}

/**
 * Reads an entry, and deletes it after `use` has returned. If the key has changed meanwhile, starts again.
 * @returns undefined if there is no such key
 */
export async function useAndDelete<T>(
  bucket: Keys,
  key: string,
  conditions: Conditions,
  use: (found: FoundRead) => Promise<T>,
): Promise<T | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const found = await bucket.get(key, conditions);
    if (found.outcome === "absent") return undefined;
    if (found.outcome === "not_modified") throw preconditionFailed();
    let result: T;
    try {
      result = await use(found);
    } catch (error) {
      // The value was replaced while it was read: the next attempt reads the new one.
      if (isRefusal(error, "key_not_found") && attempt < MAX_ATTEMPTS) continue;
      throw error;
    }
    try {
      // The etag names this entry of this bucket, so nobody else has it, and no other entry is deleted.
      await bucket.delete(key, { ifMatch: [found.etag] });
      return result;
    } catch (error) {
      if (!isRefusal(error, "precondition_failed") || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
