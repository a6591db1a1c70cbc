/**
 * The types for a Worker that binds the service, and `kvFailure`, which reads the code of an error. Imports only types of
 * the platform and of the contract.
 *
 * In the examples, `kv` is `env.KV`, and `bucket` is an empty bucket.
 * @module durable-kv/binding
 */

import type {
  BucketJson as BucketInfo,
  BucketOptionsJson as BucketOptions,
  BucketsPage,
  BucketsQueryJson as BucketsQuery,
  JurisdictionJson as Jurisdiction,
  LocationHintJson as LocationHint,
  RestartJson as Restart,
} from "../contract/buckets.ts";
import type {
  ConditionsJson as Conditions,
  EntryInfoJson as EntryInfo,
  EntryJson as Entry,
  Incremented,
  IntegerJson as Integer,
  KeysPage,
  LifetimeJson as Lifetime,
  ListQueryJson as ListQuery,
  PropertiesJson as Properties,
  RangeJson as Range,
  Written,
} from "../contract/entries.ts";
import type {
  BatchResults,
  ComparisonJson,
  FailedJson as Failed,
  FailureJson as Failure,
  IncrementJson,
  OperationJson,
  Relation,
  ResultJson as Result,
  TransactionJson,
  TransactionResults,
  ValueJson as GivenValue,
} from "../contract/operations.ts";

export { kvFailure, type KvFailure } from "./failure.ts";
export type {
  BatchResults,
  BucketInfo,
  BucketOptions,
  BucketsPage,
  BucketsQuery,
  ComparisonJson,
  Conditions,
  Entry,
  EntryInfo,
  Failed,
  Failure,
  GivenValue,
  IncrementJson,
  Incremented,
  Integer,
  Jurisdiction,
  KeysPage,
  Lifetime,
  ListQuery,
  LocationHint,
  OperationJson,
  Properties,
  Range,
  Relation,
  Restart,
  Result,
  TransactionJson,
  TransactionResults,
  Written,
};

/**
 * `env.KV`, bound to the entrypoint `KvEntrypoint`. {@link kvFailure} reads the code of an error that a call throws. In
 * metadata and in values that are read as JSON, integers beyond 2^53 are bigints.
 * @example
 * ```ts
 * await kv.create("visits");
 * console.log((await kv.bucket("visits").increment("/home")).value); // 1
 * ```
 */
export interface KvBinding {
  /**
   * The methods of one bucket. It need not exist. The object lives until the current request ends, or its `using` block.
   * @example
   * ```ts
   * using carts = kv.bucket("carts", { create: true });
   * await carts.put("ann", "2");
   * console.log(await carts.get("ann")); // 2
   * ```
   */
  bucket(name: string, options?: BucketHandleOptions): BucketBinding & Disposable;
  /**
   * One bucket as a `KVNamespace`. It need not exist: the first put creates it.
   * @example
   * ```ts
   * using notes = kv.namespace("notes");
   * await notes.put("today", "buy milk", { expirationTtl: 3_600 });
   * console.log(await notes.get("today")); // buy milk
   * ```
   */
  namespace(name: string): KVNamespace & Disposable;
  /**
   * Ensures that there is a bucket. `created` is false if it existed.
   * @throws `bucket_exists_differently` if it exists with other options
   * @example
   * ```ts
   * console.log((await kv.create("orders", { restart: "permanent" })).created); // true
   * ```
   */
  create(name: string, options?: BucketOptions): Promise<BucketInfo & { readonly created: boolean }>;
  /**
   * Describes a bucket; null if there is none.
   * @example
   * ```ts
   * console.log(await kv.lookup("nowhere")); // null
   * ```
   */
  lookup(name: string): Promise<BucketInfo | null>;
  /**
   * Stops a bucket: deletes its data and frees its name. @returns whether there was one
   * @example
   * ```ts
   * console.log(await kv.stop("nowhere")); // false
   * ```
   */
  stop(name: string): Promise<boolean>;
  /**
   * Sends an exit signal. A permanent bucket is restarted and keeps its data; a temporary one ends.
   * @returns whether there was such a bucket
   * @example
   * ```ts
   * await kv.create("drafts", { restart: "temporary" });
   * console.log(await kv.exit("drafts", "done"), await kv.lookup("drafts")); // true null
   * ```
   */
  exit(name: string, reason: string): Promise<boolean>;
  /**
   * A page of buckets, ordered by name: at most 1,000. Its `cursor`, if it has one, asks for the next page.
   * @example
   * ```ts
   * await kv.create("team-red");
   * console.log((await kv.buckets({ prefix: "team-" })).buckets.map(({ name }) => name)); // [ 'team-red' ]
   * ```
   */
  buckets(query?: BucketsQuery): Promise<BucketsPage>;
  /**
   * The HTTP API. The host of the address does not matter.
   * @example
   * ```ts
   * const { status } = await kv.fetch("https://kv/v1/buckets/nowhere");
   * console.log(status); // 404
   * ```
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
}

/** How a bucket is used that may not exist. */
export interface BucketHandleOptions {
  /**
   * Creates the bucket when something is first written to it, with these options if they are given. Until then reads
   * find nothing. Without it, calls about a bucket that does not exist throw `bucket_not_found`.
   */
  readonly create?: boolean | BucketOptions | undefined;
}

/** The `props` of a binding to the entrypoint `KvNamespace`, which is typed as `KVNamespace`. */
export interface KvNamespaceProps {
  /** The bucket. It need not exist: the first put creates it. */
  readonly bucket: string;
  /** Put before each key in the bucket; the binding's keys do not show it. */
  readonly prefix?: string | undefined;
  /** Refuses put and delete, with `read_only`. */
  readonly readonly?: boolean | undefined;
}

/**
 * One bucket. It need not exist: every method then throws `bucket_not_found`.
 * @example
 * ```ts
 * await bucket.put("milk", "3");
 * console.log(await bucket.get("milk", "json")); // 3
 * ```
 */
export interface BucketBinding {
  /**
   * Reads a value, as text by default; null if the key does not exist.
   * @example
   * ```ts
   * console.log(await bucket.get("milk")); // null
   * ```
   */
  get(key: string, type?: "text"): Promise<string | null>;
  /** Reads a value as JSON, of at most 8 MiB. @throws `value_invalid` if it is not JSON */
  get<Value = unknown>(key: string, type: "json"): Promise<Value | null>;
  /** Reads a value as bytes. */
  get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>;
  /** Reads a value as a stream of bytes. */
  get(key: string, type: "stream"): Promise<ReadableStream<Uint8Array> | null>;
  /**
   * Like `get`, with the entry's properties.
   * @example
   * ```ts
   * await bucket.put("milk", "3", { metadata: { by: "Ann" } });
   * console.log((await bucket.getEntry("milk"))?.metadata); // { by: 'Ann' }
   * ```
   */
  getEntry(key: string, type?: "text"): Promise<ValueEntry<string> | null>;
  /** The same, with the value as JSON. */
  getEntry<Value = unknown>(key: string, type: "json"): Promise<ValueEntry<Value> | null>;
  /** The same, with the value as bytes. */
  getEntry(key: string, type: "arrayBuffer"): Promise<ValueEntry<ArrayBuffer> | null>;
  /** The same, with the value as a stream of bytes. */
  getEntry(key: string, type: "stream"): Promise<ValueEntry<ReadableStream<Uint8Array>> | null>;
  /**
   * Stores a value of up to 25 MiB. It replaces the value and all properties: `type`, `ttl` (in seconds) and `metadata`.
   * @throws `precondition_failed`, `value_too_large`
   * @example
   * ```ts
   * const { created, revision } = await bucket.put("milk", "3", { ttl: 60, ifNoneMatch: "*" });
   * console.log(created, revision); // true 1
   * ```
   */
  put(
    key: string,
    value: string | ArrayBuffer | ArrayBufferView | ReadableStream<Uint8Array>,
    options?: Properties & Conditions,
  ): Promise<Written>;
  /**
   * Deletes a key. @returns whether it existed
   * @example
   * ```ts
   * console.log(await bucket.delete("milk")); // false
   * ```
   */
  delete(key: string, conditions?: Conditions): Promise<boolean>;
  /**
   * Reads a value and deletes its key, atomically: of many callers, one gets the value. Null if the key does not exist. A
   * value that can't be returned as this type is not deleted.
   * @example
   * ```ts
   * await bucket.put("code", "1234", { ttl: 60 });
   * console.log(await bucket.getAndDelete("code"), await bucket.getAndDelete("code")); // 1234 null
   * ```
   */
  getAndDelete(key: string, type?: "text", conditions?: Conditions): Promise<string | null>;
  /** As a value that JSON describes. */
  getAndDelete<Value = unknown>(key: string, type: "json", conditions?: Conditions): Promise<Value | null>;
  /** As bytes. */
  getAndDelete(key: string, type: "arrayBuffer", conditions?: Conditions): Promise<ArrayBuffer | null>;
  /** As a stream. */
  getAndDelete(
    key: string,
    type: "stream",
    conditions?: Conditions,
  ): Promise<ReadableStream<Uint8Array> | null>;
  /**
   * Adds to a counter, atomically; by 1 and from 0 by default. @throws `not_an_integer`, `increment_overflow`
   * @example
   * ```ts
   * console.log((await bucket.increment("visits", { by: 2 })).value); // 2
   * ```
   */
  increment(key: string, options?: IncrementOptions, once?: Once & Conditions): Promise<Incremented>;
  /**
   * A page of keys, ordered by their bytes: at most 1,000. Its `cursor`, if it has one, asks for the next page.
   * @example
   * ```ts
   * await bucket.put("user/ann", "1");
   * console.log((await bucket.list({ prefix: "user/" })).keys.map(({ key }) => key)); // [ 'user/ann' ]
   * ```
   */
  list(query?: ListQuery): Promise<KeysPage>;
  /**
   * Deletes all keys of a range, which must be given. @returns how many keys were deleted
   * @example
   * ```ts
   * console.log(await bucket.deleteRange({ prefix: "user/" })); // 0
   * ```
   */
  deleteRange(range: Range): Promise<number>;
  /**
   * Runs up to 1,000 operations in one round trip. A refused one has an `error` and does not affect the others.
   * @example
   * ```ts
   * const [read] = await bucket.batch([{ op: "get", key: "milk" }, { op: "put", key: "eggs", json: 6 }]);
   * console.log(read); // { op: 'get', found: false, key: 'milk' }
   * ```
   */
  batch(operations: readonly Operation[]): Promise<BatchResults["results"]>;
  /**
   * Compares, then runs one list of operations. If one of them is refused, nothing is changed.
   * @example
   * ```ts
   * const { succeeded } = await bucket.transaction({
   *   if: [{ key: "milk", integer: 0, is: ">" }],
   *   then: [{ op: "increment", key: "milk", by: -1 }],
   * });
   * console.log(succeeded); // false
   * ```
   */
  transaction(transaction: Transaction, once?: Once): Promise<TransactionResults>;
}

/** A value with the entry's properties. */
export interface ValueEntry<Value> extends EntryInfo {
  readonly value: Value;
}

/** Makes a request safe to repeat. */
export interface Once {
  /** The same request with the same key is run once; repeats within 24 hours get the same result. */
  readonly idempotencyKey?: string | undefined;
}

/** A 64-bit integer: a number, a string of digits, or a bigint. */
export type GivenInteger = Integer | bigint;
/** What an increment adds, and to what. */
export type IncrementOptions = IncrementJson<GivenInteger>;
/** One operation of a batch or transaction. */
export type Operation = OperationJson<GivenInteger>;
/** One condition of a transaction. */
export type Comparison = ComparisonJson<GivenInteger>;
/** Runs `then` if all comparisons hold, otherwise `else`. Missing lists are empty. */
export type Transaction = TransactionJson<GivenInteger>;
