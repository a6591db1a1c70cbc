/** Read, change, and write if nobody else has written meanwhile. */

import { backoff, pause, within } from "./deadline.ts";
import { PreconditionFailedError } from "./errors.ts";
import type { CallOptions, Conditions, Entry, Properties } from "./types.ts";

/** Attempts while other writers keep changing the key. */
const MAX_UPDATES = 100;

/** The calls about one key that an update is made of. */
export interface Updated<Old, New> {
  entry(options: CallOptions): Promise<Entry<Old> | undefined>;
  put(value: New, options: Properties & Conditions & CallOptions): Promise<unknown>;
}

/**
 * See {@link Bucket.update}.
 * @param retryBaseMs longest wait before the first retry, in milliseconds
 */
export function update<Old, New>(
  key: Updated<Old, New>,
  change: (value: Old | undefined) => New | undefined | Promise<New | undefined>,
  { signal, timeoutMs, ...properties }: Properties & CallOptions,
  retryBaseMs: number,
): Promise<New | undefined> {
  // By default there is no overall deadline, because `change` may take long. Each request has the client's deadline.
  return within({ signal, timeoutMs: timeoutMs ?? Infinity }, async (deadline) => {
    for (let tries = 0; ; tries += 1) {
      const entry = await key.entry({ signal: deadline });
      const value = await change(entry?.value);
      if (value === undefined) return undefined;
      const condition = entry === undefined ? { ifNoneMatch: "*" } : { ifMatch: entry.etag };
      try {
        await key.put(value, { ...properties, ...condition, signal: deadline });
        return value;
      } catch (error) {
        if (!(error instanceof PreconditionFailedError) || tries + 1 === MAX_UPDATES) throw error;
      }
      // Jitter, so competing writers do not collide again.
      await pause(backoff(tries, retryBaseMs), deadline);
    }
  });
}
