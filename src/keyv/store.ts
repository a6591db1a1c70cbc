/** keyv's store methods, implemented on a bucket. */

import type { Bucket } from "../client/bucket.ts";
import { BucketNotFoundError, KvError, PreconditionFailedError } from "../client/errors.ts";
import type { Kv } from "../client/kv.ts";
import type { BucketOptions, Operation, Result } from "../client/types.ts";
import { checkedKey } from "../client/paths.ts";
import { byType, typeOf } from "./codec.ts";
import { checkKeys, checkSettings, checkTtl, isExpired, checkedOptions, ttlSeconds } from "./options.ts";
import type { KeyvDurableKvOptions, Setting } from "./types.ts";

/** Most operations in a batch, and most bytes of their values. The service's limits are 1,000 and 16 MiB of JSON. */
const MAX_BATCH_OPERATIONS = 1_000;
const MAX_BATCH_BYTES = 2_097_152;
/** Largest value in a batch, in bytes. A larger one has a request of its own. */
const MAX_BATCHED_VALUE_BYTES = 1_048_576;
/** Parallel reads of values that are too large for a batch. */
const CONCURRENT_READS = 8;

/**
 * A store for keyv 5 and 6 on a bucket:
 *
 *     const cache = new Keyv({ store: new KeyvDurableKv({ url, bucket: "cache" }) });
 *
 * The bucket need not exist: reads find nothing, and the first `set` creates it.
 *
 * Create one store per Keyv: a store has one namespace, which the latest Keyv sets. A key is stored as
 * `namespace:key`. `clear` deletes the namespace's keys, or the whole bucket's if there is no namespace. Methods throw
 * a {@link KvError}; keyv's options `emitErrors` and `throwOnErrors` decide what happens to it.
 */
export class KeyvDurableKv {
  /** Set by keyv. */
  namespace: string | undefined = undefined;
  /** keyv 5 only iterates over stores whose dialect it knows. Redis is the closest one. */
  readonly opts: Record<string, unknown>;
  readonly #kv: Kv;
  readonly #bucket: Bucket;
  readonly #create: BucketOptions;
  #isKeyv6 = false;

  /** @throws {TypeError} for invalid options; its `code` is `options_invalid`, or one of `new Kv` */
  constructor(options: KeyvDurableKvOptions) {
    const { bucket, create, kv } = checkedOptions(options);
    this.#kv = kv;
    this.#bucket = this.#kv.bucket(bucket, { codec: byType });
    this.#create = create;
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

  /** Does nothing: this store throws its errors and emits no events. */
  on(_event: string, _listener: (...args: unknown[]) => void): this {
    return this;
  }

  async get<Value>(key: string): Promise<Value | undefined> {
    return (await emptyIfNoBucket(this.#bucket.get(this.#fullKey(key)), undefined)) as Value | undefined;
  }

  async getMany<Value>(keys: string[]): Promise<(Value | undefined)[]> {
    checkKeys(keys);
    const results = await emptyIfNoBucket(
      this.#batch(keys.map((key) => ({ op: "get", key: this.#fullKey(key) }))),
      [],
    );
    const values = new Map<string, Value | undefined>();
    const retried: string[] = [];
    const large: string[] = [];
    for (const [index, result] of results.entries()) {
      const key = keys[index] ?? "";
      if (result instanceof KvError) {
        if (result.code !== "result_too_large") throw result;
        retried.push(key);
      } else if ("value" in result && result.value !== undefined) values.set(key, result.value as Value);
      else if (result.op === "get" && result.found) large.push(key);
    }
    // Results that did not fit are read again. Each response has room for at least its first value, so this ends.
    if (retried.length > 0) {
      for (const [index, value] of (await this.getMany<Value>(retried)).entries()) {
        values.set(retried[index] ?? "", value);
      }
    }
    await withConcurrency(large, async (key) => values.set(key, await this.get<Value>(key)));
    return keys.map((key) => values.get(key));
  }

  /**
   * @param ttl milliseconds; no expiry if undefined or Infinity
   * @throws {InvalidRequestError} `options_invalid` if the ttl is not a number
   */
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    checkTtl(ttl);
    if (isExpired(ttl)) await this.delete(key);
    else await this.#creatingBucket(() => this.#put({ key, value, ttl }));
    return true;
  }

  /** Stores many entries in few round trips. @returns true for each entry; a failure is thrown */
  setMany(entries: Setting[]): Promise<boolean[]>;
  /** For keyv 5, whose types say void; at run time it passes the booleans on. */
  setMany(entries: Setting[]): Promise<void>;
  async setMany(entries: Setting[]): Promise<unknown> {
    checkSettings(entries);
    // If a key occurs more than once, the last entry wins, in whatever order the requests run.
    const last = [...new Map(entries.map((entry) => [entry.key, entry])).values()];
    const expired = last.filter(({ ttl }) => isExpired(ttl)).map(({ key }) => key);
    if (expired.length > 0) await this.deleteMany(expired);
    const settings = last.filter(({ ttl }) => !isExpired(ttl));
    const large = settings.filter(({ value }) => sizeUpperBound(value) > MAX_BATCHED_VALUE_BYTES);
    const operations = settings
      .filter((setting) => !large.includes(setting))
      .map(({ key, value, ttl }) => ({
        op: "put" as const,
        key: this.#fullKey(key),
        value,
        ...properties(value, ttl),
      }));
    await this.#creatingBucket(async () => {
      for (const result of await this.#batch(operations)) if (result instanceof KvError) throw result;
      for (const setting of large) await this.#put(setting);
    });
    return entries.map(() => true);
  }

  /** @returns whether the key existed */
  delete(key: string): Promise<boolean> {
    return emptyIfNoBucket(this.#bucket.delete(this.#fullKey(key)), false);
  }

  /** @returns for keyv 5, whether all keys existed; for keyv 6, one boolean per key */
  deleteMany(keys: string[]): Promise<boolean>;
  deleteMany(keys: string[]): Promise<boolean[]>;
  async deleteMany(keys: string[]): Promise<unknown> {
    checkKeys(keys);
    const operations = keys.map((key) => ({ op: "delete" as const, key: this.#fullKey(key) }));
    const results = await emptyIfNoBucket(this.#batch(operations), []);
    const deleted = keys.map((_, index) => {
      const result = results[index];
      if (result instanceof KvError) throw result;
      return result?.op === "delete" && result.deleted;
    });
    return this.#isKeyv6 ? deleted : deleted.length > 0 && deleted.every(Boolean);
  }

  has(key: string): Promise<boolean> {
    return emptyIfNoBucket(this.#bucket.has(this.#fullKey(key)), false);
  }

  /** Reads with `ifNoneMatch: "*"`, which fails for every existing key, so that no value is transferred. */
  async hasMany(keys: string[]): Promise<boolean[]> {
    checkKeys(keys);
    const operations = keys.map((key) => ({ op: "get" as const, key: this.#fullKey(key), ifNoneMatch: "*" }));
    const results = await emptyIfNoBucket(this.#batch(operations), []);
    return keys.map((_, index) => {
      const result = results[index];
      if (result instanceof PreconditionFailedError) return true;
      if (result instanceof KvError) throw result;
      return false;
    });
  }

  async clear(): Promise<void> {
    await emptyIfNoBucket(this.#bucket.deleteRange({ prefix: this.#fullKey("") }), 0);
  }

  /** Keys, without the namespace, and values, in byte order of the keys. */
  async *iterator<Value>(
    namespace: string | undefined = this.namespace,
  ): AsyncGenerator<[string, Value], void, void> {
    const prefix = fullKey(namespace, "");
    try {
      for await (const { key, value } of this.#bucket.list({ prefix, values: true })) {
        const found = value === undefined ? await this.#bucket.get(key) : value;
        if (found !== undefined) yield [key.slice(prefix.length), found as Value];
      }
    } catch (error) {
      if (!(error instanceof BucketNotFoundError)) throw error;
    }
  }

  /** Does nothing: each method sends requests of its own, and no connection stays open. */
  async disconnect(): Promise<void> {}

  #fullKey(key: string): string {
    return fullKey(this.namespace, key);
  }

  async #put({ key, value, ttl }: Setting): Promise<void> {
    await this.#bucket.put(this.#fullKey(key), value, properties(value, ttl));
  }

  /** Runs operations in as many sequential batches as the limits require. */
  async #batch(operations: readonly Operation[]): Promise<(Result | KvError)[]> {
    const results: (Result | KvError)[] = [];
    for (const part of inBatches(operations)) results.push(...(await this.#bucket.batch(part)));
    return results;
  }

  /** Writes; if the bucket does not exist, creates it and writes again. */
  async #creatingBucket(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!(error instanceof BucketNotFoundError)) throw error;
      await this.#kv.create(this.#bucket.name, this.#create);
      await write();
    }
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

/** Resolves to `nothing` if the bucket does not exist. */
async function emptyIfNoBucket<T>(answer: Promise<T>, nothing: T): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof BucketNotFoundError) return nothing;
    throw error;
  }
}

async function withConcurrency<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  // All workers take their items from this one iterator.
  const next = items.values();
  const worker = async (): Promise<void> => {
    for (const item of next) await work(item);
  };
  await Promise.all(Array.from({ length: CONCURRENT_READS }, worker));
}

function* inBatches(operations: readonly Operation[]): Generator<Operation[], void, void> {
  let part: Operation[] = [];
  let bytes = 0;
  for (const operation of operations) {
    const size = operation.op === "put" ? sizeUpperBound(operation.value) : 0;
    if (part.length === MAX_BATCH_OPERATIONS || (part.length > 0 && bytes + size > MAX_BATCH_BYTES)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(operation);
    bytes += size;
  }
  if (part.length > 0) yield part;
}

/** An upper bound of the value's size in bytes. */
function sizeUpperBound(value: unknown): number {
  const encoded = byType.encode(value);
  return typeof encoded === "string" ? encoded.length * 3 : encoded.byteLength;
}
