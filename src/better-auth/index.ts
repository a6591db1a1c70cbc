/**
 * better-auth's secondary storage (https://better-auth.com) on a bucket. Does not import better-auth. In the examples, `kv` is
 * a `Kv` of `durable-kv/client`, and `text` its codec.
 * @module durable-kv/better-auth
 */

import type { Bucket } from "../client/bucket.ts";

/** What better-auth calls. It is assignable to better-auth's own `SecondaryStorage`. Times to live are in seconds. */
export interface BetterAuthStorage {
  /** Null if there is no such key. */
  get(key: string): Promise<string | null>;
  /** Stores a value; without a `ttl` for good. */
  set(key: string, value: string, ttl?: number): Promise<void>;
  /** Deletes a key. A missing one is no error. */
  delete(key: string): Promise<void>;
  /** The value, for one of many callers. */
  getAndDelete(key: string): Promise<string | null>;
  /** Counts up from 0. The `ttl` is that of a new counter. */
  increment(key: string, ttl: number): Promise<number>;
}

/**
 * A storage for sessions, one-time values and rate limits: `betterAuth({ secondaryStorage: betterAuthStorage(bucket) })`.
 * @param bucket opened with the codec `text`. With `create` it need not exist
 * @example
 * ```ts
 * const storage = betterAuthStorage(kv.bucket("auth", { codec: text, create: true }));
 * await storage.set("session", "ann", 3600);
 * console.log(await storage.get("session"), await storage.increment("logins", 60)); // ann 1
 * ```
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
