/** keyv's store methods, implemented on a bucket. */

import type { Bucket } from "../client/bucket.ts";
import { byType, typeOf } from "../client/by-type.ts";
import { KvError, PreconditionFailedError } from "../client/errors.ts";
import { allDone, getMany, putMany, runMany } from "../client/many.ts";
import { checkedKey } from "../client/paths.ts";
import { checkKeys, checkSettings, checkTtl, isExpired, checkedOptions, ttlSeconds } from "./options.ts";
import type { KeyvDurableKvOptions, Setting } from "./types.ts";

/**
 * A store for keyv 5 and 6 on a bucket. The bucket need not exist: reads find nothing, and the first `set` creates it.
 *
 * Create one store per Keyv: a store has one namespace, which the latest Keyv sets. A key is stored as
 * `namespace:key`. `clear` deletes the namespace's keys, or the whole bucket's if there is no namespace. Methods throw
 * a {@link KvError}; keyv's options `emitErrors` and `throwOnErrors` decide what happens to it.
 * @example
 * ```ts
 * const cache = new Keyv({ store: new KeyvDurableKv({ url, bucket: "cache" }) });
 * await cache.set("ann", { age: 30 }, 60_000);
 * console.log(await cache.get("ann")); // { age: 30 }
 * ```
 */
export class KeyvDurableKv {
  /** Set by keyv. */
  namespace: string | undefined = undefined;
  /** keyv 5 only iterates over stores whose dialect it knows. Redis is the closest one. */
  readonly opts: Record<string, unknown>;
  readonly #bucket: Bucket;
  #isKeyv6 = false;

  /** @throws TypeError for invalid options; its `code` is `options_invalid`, or one of `new Kv` */
  constructor(options: KeyvDurableKvOptions) {
    const { bucket, create, kv } = checkedOptions(options);
    this.#bucket = kv.bucket(bucket, { codec: byType, create });
    this.opts = { dialect: "redis", bucket };
  }

  /**
   * keyv 6 reads this from a new store and keyv 5 does not, which tells them apart. Undefined makes keyv 6 pass a time
   * to live, and not a time of expiry.
   */
  get capabilities(): undefined {
    this.#isKeyv6 = true;
    return undefined;
  }

  /**
   * Does nothing: this store throws its errors and emits no events.
   * @example
   * ```ts
   * console.log(store.on("error", console.log) === store); // true
   * ```
   */
  on(_event: string, _listener: (...args: unknown[]) => void): this {
    return this;
  }

  /**
   * Reads a value. @returns undefined if the key does not exist
   * @example
   * ```ts
   * console.log(await store.get("ann")); // undefined
   * ```
   */
  async get<Value>(key: string): Promise<Value | undefined> {
    return (await this.#bucket.get(this.#fullKey(key))) as Value | undefined;
  }

  /**
   * Reads many values in few round trips. @returns one value per key, in order; undefined if it does not exist
   * @example
   * ```ts
   * await store.set("ann", 1);
   * console.log(await store.getMany(["ann", "bob"])); // [ 1, undefined ]
   * ```
   */
  async getMany<Value>(keys: string[]): Promise<(Value | undefined)[]> {
    checkKeys(keys);
    const full = keys.map((key) => this.#fullKey(key));
    const values = await getMany(this.#bucket, full);
    return full.map((key) => values.get(key) as Value | undefined);
  }

  /**
   * Stores a value. A `ttl` of 0 or less deletes the key.
   * @param ttl milliseconds; no expiry if undefined or Infinity
   * @returns true; a failure is thrown
   * @throws InvalidRequestError `options_invalid` if the ttl is not a number
   * @example
   * ```ts
   * console.log(await store.set("ann", { age: 30 }, 60_000), await store.get("ann")); // true { age: 30 }
   * ```
   */
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    checkTtl(ttl);
    if (isExpired(ttl)) await this.delete(key);
    else await this.#bucket.put(this.#fullKey(key), value, properties(value, ttl));
    return true;
  }

  /**
   * Stores many entries in few round trips. @returns true for each entry; a failure is thrown
   * @example
   * ```ts
   * console.log(await store.setMany([{ key: "ann", value: 1, ttl: 60_000 }])); // [ true ]
   * ```
   */
  setMany(entries: Setting[]): Promise<boolean[]>;
  /** For keyv 5, whose types say void; at run time it passes the booleans on. */
  setMany(entries: Setting[]): Promise<void>;
  async setMany(entries: Setting[]): Promise<unknown> {
    checkSettings(entries);
    // If a key occurs more than once, the last entry wins, in whatever order the requests run.
    const last = [...new Map(entries.map((entry) => [entry.key, entry])).values()];
    const expired = last.filter(({ ttl }) => isExpired(ttl)).map(({ key }) => key);
    if (expired.length > 0) await this.deleteMany(expired);
    await putMany(
      this.#bucket,
      last
        .filter(({ ttl }) => !isExpired(ttl))
        .map(({ key, value, ttl }) => ({ key: this.#fullKey(key), value, ...properties(value, ttl) })),
    );
    return entries.map(() => true);
  }

  /**
   * Deletes a key. @returns whether it existed
   * @example
   * ```ts
   * console.log(await store.delete("ann")); // false
   * ```
   */
  delete(key: string): Promise<boolean> {
    return this.#bucket.delete(this.#fullKey(key));
  }

  /**
   * Deletes many keys in few round trips. @returns for keyv 5, whether all keys existed
   * @example
   * ```ts
   * await store.set("ann", 1);
   * console.log(await store.deleteMany(["ann", "bob"])); // false
   * ```
   */
  deleteMany(keys: string[]): Promise<boolean>;
  /** @returns for keyv 6, whether each key existed */
  deleteMany(keys: string[]): Promise<boolean[]>;
  async deleteMany(keys: string[]): Promise<unknown> {
    checkKeys(keys);
    const operations = keys.map((key) => ({ op: "delete" as const, key: this.#fullKey(key) }));
    const results = allDone(await runMany(this.#bucket, operations));
    const deleted = results.map((result) => result.op === "delete" && result.deleted);
    return this.#isKeyv6 ? deleted : deleted.length > 0 && deleted.every(Boolean);
  }

  /**
   * Whether the key exists. The value is not transferred.
   * @example
   * ```ts
   * console.log(await store.has("ann")); // false
   * ```
   */
  has(key: string): Promise<boolean> {
    return this.#bucket.has(this.#fullKey(key));
  }

  /**
   * Whether each key exists. No value is transferred.
   * @example
   * ```ts
   * await store.set("ann", 1);
   * console.log(await store.hasMany(["ann", "bob"])); // [ true, false ]
   * ```
   */
  async hasMany(keys: string[]): Promise<boolean[]> {
    checkKeys(keys);
    const operations = keys.map((key) => ({ op: "get" as const, key: this.#fullKey(key), ifNoneMatch: "*" }));
    const results = await runMany(this.#bucket, operations);
    return keys.map((_, index) => {
      const result = results[index];
      if (result instanceof PreconditionFailedError) return true;
      if (result instanceof KvError) throw result;
      return false;
    });
  }

  /**
   * Deletes the keys of the namespace; all keys of the bucket if there is no namespace.
   * @example
   * ```ts
   * await store.set("ann", 1);
   * await store.clear();
   * console.log(await store.has("ann")); // false
   * ```
   */
  async clear(): Promise<void> {
    await this.#bucket.deleteRange({ prefix: this.#fullKey("") });
  }

  /**
   * Keys, without the namespace, and values, in byte order of the keys.
   * @example
   * ```ts
   * await store.set("ann", 1);
   * for await (const [key, value] of store.iterator()) console.log(key, value); // ann 1
   * ```
   */
  async *iterator<Value>(
    namespace: string | undefined = this.namespace,
  ): AsyncGenerator<[string, Value], void, void> {
    const prefix = fullKey(namespace, "");
    for await (const { key, value } of this.#bucket.list({ prefix, values: true })) {
      const found = value === undefined ? await this.#bucket.get(key) : value;
      if (found !== undefined) yield [key.slice(prefix.length), found as Value];
    }
  }

  /**
   * Does nothing: each method sends requests of its own, and no connection stays open.
   * @example
   * ```ts
   * await store.disconnect();
   * console.log(await store.has("ann")); // false
   * ```
   */
  async disconnect(): Promise<void> {}

  #fullKey(key: string): string {
    return fullKey(this.namespace, key);
  }
}

/** The key in the bucket. Colons of a namespace are escaped, so that no namespace can contain another's keys. */
function fullKey(namespace: string | undefined, key: string): string {
  checkedKey(key);
  if (namespace === undefined) return key;
  return `${namespace.replaceAll("%", "%25").replaceAll(":", "%3A")}:${key}`;
}

function properties(
  value: unknown,
  ttl: number | undefined,
): { readonly type: string; readonly ttl?: number } {
  const type = typeOf(value);
  const seconds = ttlSeconds(ttl);
  return seconds === undefined ? { type } : { type, ttl: seconds };
}
