/** The store: keyv's verbs on a bucket. */

import type { Bucket } from "../client/bucket.ts";
import { BucketNotFoundError, KvError, PreconditionFailedError } from "../client/errors.ts";
import type { Kv } from "../client/kv.ts";
import type { BucketOptions, Operation, Result } from "../client/types.ts";
import { checkedKey } from "../client/paths.ts";
import { asGiven, typeOf } from "./codec.ts";
import { checkKeys, checkSettings, checkTtl, isOver, optionsOf, ttlSeconds } from "./given.ts";
import type { KeyvDurableKvOptions, Setting } from "./types.ts";

/** Operations in one batch, and bytes of their values: the service's limits are 1,000 and 16 MiB of JSON. */
const MAX_OPERATIONS = 1_000;
const MAX_BYTES = 2_097_152;
/** Bytes of a value that can travel with others. */
const WHOLE_BYTES = 1_048_576;
/** How many values are read at once that can't. */
const READS = 8;

/**
 * A bucket as a store for keyv 5 and 6: `new Keyv({ store: new KeyvDurableKv({ url, bucket: "cache" }) })`. It need not
 * be there: reading finds nothing, and the first `set` creates it.
 *
 * Each Keyv has a store of its own: a store has one namespace, that of the Keyv that was made with it last. Keys of a
 * namespace are kept behind its name and a colon, and `clear` clears the namespace, or, without one, the bucket.
 * Verbs throw a {@link KvError}; keyv hands that on as it was told to (`emitErrors`, `throwOnErrors`).
 */
export class KeyvDurableKv {
  /** Set by keyv. */
  namespace: string | undefined = undefined;
  /** keyv 5 iterates stores of dialects that it knows, and no others; Redis is the one that is most like this. */
  readonly opts: Record<string, unknown>;
  readonly #kv: Kv;
  readonly #bucket: Bucket;
  readonly #create: BucketOptions;
  #ofKeyv6 = false;

  /** @throws {TypeError} for what can't be meant; its `code` is `options_invalid`, or as `new Kv` has it */
  constructor(options: KeyvDurableKvOptions) {
    const { bucket, create, kv } = optionsOf(options);
    this.#kv = kv;
    this.#bucket = this.#kv.bucket(bucket, { codec: asGiven });
    this.#create = create;
    this.opts = { dialect: "redis", bucket };
  }

  /**
   * keyv 6 asks for it when it is given a store, keyv 5 does not: that tells them apart. Undefined: what it is given is a
   * time to live, not a moment.
   */
  get capabilities(): undefined {
    this.#ofKeyv6 = true;
    return undefined;
  }

  /** Nothing is ever emitted: what goes wrong is thrown. */
  on(_event: string, _listener: (...args: unknown[]) => void): this {
    return this;
  }

  async get<Value>(key: string): Promise<Value | undefined> {
    return (await orNothing(this.#bucket.get(this.#place(key)), undefined)) as Value | undefined;
  }

  async getMany<Value>(keys: string[]): Promise<(Value | undefined)[]> {
    checkKeys(keys);
    const results = await orNothing(
      this.#batch(keys.map((key) => ({ op: "get", key: this.#place(key) }))),
      [],
    );
    const values = new Map<string, Value | undefined>();
    const late: string[] = [];
    const large: string[] = [];
    for (const [index, result] of results.entries()) {
      const key = keys[index] ?? "";
      if (result instanceof KvError) {
        if (result.code !== "result_too_large") throw result;
        late.push(key);
      } else if ("value" in result && result.value !== undefined) values.set(key, result.value as Value);
      else if (result.op === "get" && result.found) large.push(key);
    }
    // What the answer had no room for is asked for in another one: the first of them has room in each.
    if (late.length > 0) {
      for (const [index, value] of (await this.getMany<Value>(late)).entries()) {
        values.set(late[index] ?? "", value);
      }
    }
    await fewAtOnce(large, async (key) => values.set(key, await this.get<Value>(key)));
    return keys.map((key) => values.get(key));
  }

  /**
   * @param ttl milliseconds; without one, or with Infinity, the entry lives for ever
   * @throws {InvalidRequestError} `options_invalid` for a ttl that is no number
   */
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    checkTtl(ttl);
    if (isOver(ttl)) await this.delete(key);
    else await this.#created(() => this.#put({ key, value, ttl }));
    return true;
  }

  /** Many entries in few round trips. @returns true for each: what can't be stored is thrown */
  setMany(entries: Setting[]): Promise<boolean[]>;
  /** What keyv 5 says of it in its types; in truth it hands the booleans on. */
  setMany(entries: Setting[]): Promise<void>;
  async setMany(entries: Setting[]): Promise<unknown> {
    checkSettings(entries);
    // The last setting of a key counts, in whichever order they travel.
    const last = [...new Map(entries.map((entry) => [entry.key, entry])).values()];
    const over = last.filter(({ ttl }) => isOver(ttl)).map(({ key }) => key);
    if (over.length > 0) await this.deleteMany(over);
    const settings = last.filter(({ ttl }) => !isOver(ttl));
    const large = settings.filter(({ value }) => sizeAtMost(value) > WHOLE_BYTES);
    const operations = settings
      .filter((setting) => !large.includes(setting))
      .map(({ key, value, ttl }) => ({
        op: "put" as const,
        key: this.#place(key),
        value,
        ...properties(value, ttl),
      }));
    await this.#created(async () => {
      for (const result of await this.#batch(operations)) if (result instanceof KvError) throw result;
      for (const setting of large) await this.#put(setting);
    });
    return entries.map(() => true);
  }

  /** @returns whether the key was there */
  delete(key: string): Promise<boolean> {
    return orNothing(this.#bucket.delete(this.#place(key)), false);
  }

  /** @returns whether all of them were there; to keyv 6, for each whether it was */
  deleteMany(keys: string[]): Promise<boolean>;
  deleteMany(keys: string[]): Promise<boolean[]>;
  async deleteMany(keys: string[]): Promise<unknown> {
    checkKeys(keys);
    const operations = keys.map((key) => ({ op: "delete" as const, key: this.#place(key) }));
    const results = await orNothing(this.#batch(operations), []);
    const deleted = keys.map((_, index) => {
      const result = results[index];
      if (result instanceof KvError) throw result;
      return result?.op === "delete" && result.deleted;
    });
    return this.#ofKeyv6 ? deleted : deleted.length > 0 && deleted.every(Boolean);
  }

  has(key: string): Promise<boolean> {
    return orNothing(this.#bucket.has(this.#place(key)), false);
  }

  /** The condition is one that nothing which is there meets: so its value stays where it is. */
  async hasMany(keys: string[]): Promise<boolean[]> {
    checkKeys(keys);
    const operations = keys.map((key) => ({ op: "get" as const, key: this.#place(key), ifNoneMatch: "*" }));
    const results = await orNothing(this.#batch(operations), []);
    return keys.map((_, index) => {
      const result = results[index];
      if (result instanceof PreconditionFailedError) return true;
      if (result instanceof KvError) throw result;
      return false;
    });
  }

  async clear(): Promise<void> {
    await orNothing(this.#bucket.deleteRange({ prefix: this.#place("") }), 0);
  }

  /** Keys, without the namespace, and values, in the order of the keys' bytes. */
  async *iterator<Value>(
    namespace: string | undefined = this.namespace,
  ): AsyncGenerator<[string, Value], void, void> {
    const prefix = place(namespace, "");
    try {
      for await (const { key, value } of this.#bucket.list({ prefix, values: true })) {
        const found = value === undefined ? await this.#bucket.get(key) : value;
        if (found !== undefined) yield [key.slice(prefix.length), found as Value];
      }
    } catch (error) {
      if (!(error instanceof BucketNotFoundError)) throw error;
    }
  }

  /** There is no connection to end: each verb is a request of its own. */
  async disconnect(): Promise<void> {}

  #place(key: string): string {
    return place(this.namespace, key);
  }

  async #put({ key, value, ttl }: Setting): Promise<void> {
    await this.#bucket.put(this.#place(key), value, properties(value, ttl));
  }

  /** In as many round trips as their number and size need, one behind the other. */
  async #batch(operations: readonly Operation[]): Promise<(Result | KvError)[]> {
    const results: (Result | KvError)[] = [];
    for (const part of inParts(operations)) results.push(...(await this.#bucket.batch(part)));
    return results;
  }

  async #created(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!(error instanceof BucketNotFoundError)) throw error;
      await this.#kv.create(this.#bucket.name, this.#create);
      await write();
    }
  }
}

/** A namespace that has a colon in its name does not reach into another one's keys. */
function place(namespace: string | undefined, key: string): string {
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

async function orNothing<T>(answer: Promise<T>, nothing: T): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof BucketNotFoundError) return nothing;
    throw error;
  }
}

async function fewAtOnce<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  // All of them take from the same one.
  const next = items.values();
  const worker = async (): Promise<void> => {
    for (const item of next) await work(item);
  };
  await Promise.all(Array.from({ length: READS }, worker));
}

function* inParts(operations: readonly Operation[]): Generator<Operation[], void, void> {
  let part: Operation[] = [];
  let bytes = 0;
  for (const operation of operations) {
    const size = operation.op === "put" ? sizeAtMost(operation.value) : 0;
    if (part.length === MAX_OPERATIONS || (part.length > 0 && bytes + size > MAX_BYTES)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(operation);
    bytes += size;
  }
  if (part.length > 0) yield part;
}

/** Bytes, or more. */
function sizeAtMost(value: unknown): number {
  const encoded = asGiven.encode(value);
  return typeof encoded === "string" ? encoded.length * 3 : encoded.byteLength;
}
