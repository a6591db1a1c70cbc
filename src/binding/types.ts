/**
 * What a Worker that binds the service sees of it, `durable-kv/binding`: types, with nothing but the platform's own beside
 * them, and what reads the code of an error.
 */

import type {
  BucketJson as BucketInfo,
  BucketOptionsJson as BucketOptions,
  BucketsPage,
  BucketsQueryJson,
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
  IncrementJson,
  OperationJson,
  ResultJson as Result,
  TransactionJson,
  TransactionResults,
  ValueJson as GivenValue,
} from "../contract/operations.ts";

export { kvFailure, type KvFailure } from "./failure.ts";
export type {
  BucketInfo,
  BucketOptions,
  Conditions,
  Entry,
  EntryInfo,
  Failed,
  GivenValue,
  Incremented,
  Integer,
  Lifetime,
  ListQuery,
  Properties,
  Range,
  Result,
  Written,
};

/**
 * `env.KV`, bound to the entrypoint `KvEntrypoint`. `kvFailure` says the code of an error that a call throws. Beyond 2^53
 * integers in metadata, and in a value that is read as JSON, are bigints.
 */
export interface KvBinding {
  /** One bucket's verbs. It need not be there yet. Lives until the request that it was asked for in ends; `using` ends it before. */
  bucket(name: string): BucketBinding & Disposable;
  /** One bucket as a `KVNamespace`. It need not be there yet: the first put creates it. */
  namespace(name: string): KVNamespace & Disposable;
  /** Ensures that there is a bucket. One that was created otherwise than is said is `bucket_exists_differently`. */
  create(name: string, options?: BucketOptions): Promise<BucketInfo & { readonly created: boolean }>;
  /** What is known of a bucket; null if there is none. */
  lookup(name: string): Promise<BucketInfo | null>;
  /** Ends a bucket: its data is gone, its name free. @returns whether there was one */
  stop(name: string): Promise<boolean>;
  /** Sends an exit signal. @returns whether there was such a bucket */
  exit(name: string, reason: string): Promise<boolean>;
  /** A page of buckets, in the order of their names. */
  buckets(query?: BucketsQueryJson): Promise<BucketsPage>;
  /** The HTTP API. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
}

/** One bucket, which need not be there: then every verb is `bucket_not_found`. */
export interface BucketBinding {
  /** The value, as text if nothing else is said; null if the key is not there. */
  get(key: string, type?: "text"): Promise<string | null>;
  get<Value = unknown>(key: string, type: "json"): Promise<Value | null>;
  get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>;
  get(key: string, type: "stream"): Promise<ReadableStream<Uint8Array> | null>;
  /** The value with what is kept beside it; null if the key is not there. */
  getEntry(key: string, type?: "text"): Promise<ValueEntry<string> | null>;
  getEntry<Value = unknown>(key: string, type: "json"): Promise<ValueEntry<Value> | null>;
  getEntry(key: string, type: "arrayBuffer"): Promise<ValueEntry<ArrayBuffer> | null>;
  getEntry(key: string, type: "stream"): Promise<ValueEntry<ReadableStream<Uint8Array>> | null>;
  /** Stores up to 25 MiB. What is not given again of `type`, `ttl` and `metadata` is gone. */
  put(
    key: string,
    value: string | ArrayBuffer | ArrayBufferView | ReadableStream<Uint8Array>,
    options?: Properties & Conditions,
  ): Promise<Written>;
  /** @returns whether the key was there */
  delete(key: string, conditions?: Conditions): Promise<boolean>;
  /** Adds to a counter, atomically. */
  increment(key: string, options?: IncrementOptions, once?: Once & Conditions): Promise<Incremented>;
  /** A page of keys. */
  list(query?: ListQuery): Promise<KeysPage>;
  /** Deletes all keys of a range, which has to be said. @returns how many there were */
  deleteRange(range: Range): Promise<number>;
  /** Up to 1,000 operations in one round trip, each by itself: one that is turned down leaves the others alone. */
  batch(operations: readonly Operation[]): Promise<BatchResults["results"]>;
  /** Compares, then does one list of operations: all of it, or, if one is turned down, nothing. */
  transaction(transaction: Transaction, once?: Once): Promise<TransactionResults>;
}

/** The value with what is kept beside it. */
export interface ValueEntry<Value> extends EntryInfo {
  readonly value: Value;
}

/** Makes a request one that is done once. */
export interface Once {
  /** With the same key the same request is done once, however often it is sent. */
  readonly idempotencyKey?: string | undefined;
}

/** How a 64-bit integer may be given. */
export type GivenInteger = Integer | bigint;
export type IncrementOptions = IncrementJson<GivenInteger>;
export type Operation = OperationJson<GivenInteger>;
export type Comparison = ComparisonJson<GivenInteger>;
export type Transaction = TransactionJson<GivenInteger>;
