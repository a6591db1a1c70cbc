/** better-auth's secondary storage (https://better-auth.com) on a bucket. Does not import better-auth. */

import type { Bucket } from "../client/bucket.ts";

/** What better-auth calls. It is assignable to better-auth's own `SecondaryStorage`. Times to live are in seconds. */
export interface BetterAuthStorage {
  get(key: string): Promise<string | null>;
  set(key: string, value: string, ttl?: number): Promise<void>;
  delete(key: string): Promise<void>;
  getAndDelete(key: string): Promise<string | null>;
  increment(key: string, ttl: number): Promise<number>;
}

/**
 * A storage for sessions, one-time values and rate limits:
 *
 *     betterAuth({ secondaryStorage: betterAuthStorage(kv.bucket("auth", { codec: text, create: true })) });
 *
 * @param bucket opened with the codec `text`. With `create` it need not exist
 */
export function betterAuthStorage(bucket: Bucket<Record<string, string>>): BetterAuthStorage {
  return {
    get: async (key) => (await bucket.get(key)) ?? null,
    set: async (key, value, ttl) => void (await bucket.put(key, value, { ttl })),
    delete: async (key) => void (await bucket.delete(key)),
    getAndDelete: async (key) => (await bucket.getAndDelete(key)) ?? null,
    // The time to live is that of a new counter: an existing one keeps its own, so a window does not grow.
    increment: async (key, ttl) => Number((await bucket.increment(key, { ttl })).value),
  };
}
