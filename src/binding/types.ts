/**
 * `durable-kv/binding`: the types for a Worker that binds the service, and `kvFailure`, which reads the code of an error.
 * Imports only types of the platform and of the contract.
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
 * `env.KV`, bound to the entrypoint `KvEntrypoint`. `kvFailure` reads the code of an error that a call throws. In metadata
 * and in values that are read as JSON, integers beyond 2^53 are bigints.
 */
export interface KvBinding {
  /** The methods of one bucket. It need not exist. The object lives until the current request ends, or its `using` block. */
  bucket(name: string): BucketBinding & Disposable;
  /** One bucket as a `KVNamespace`. It need not exist: the first put creates it. */
  namespace(name: string): KVNamespace & Disposable;
  /** Ensures that there is a bucket. @throws `bucket_exists_differently` if it exists with other options */
  create(name: string, options?: BucketOptions): Promise<BucketInfo & { readonly created: boolean }>;
  /** Describes a bucket; null if there is none. */
  lookup(name: string): Promise<BucketInfo | null>;
  /** Stops a bucket: deletes its data and frees its name. @returns whether there was one */
  stop(name: string): Promise<boolean>;
  /** Sends an exit signal. @returns whether there was such a bucket */
  exit(name: string, reason: string): Promise<boolean>;
  /** A page of buckets, ordered by name. */
  buckets(query?: BucketsQueryJson): Promise<BucketsPage>;
  /** The HTTP API. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
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

/** One bucket. It need not exist: every method then throws `bucket_not_found`. */
export interface BucketBinding {
  /** Reads a value, as text by default; null if the key does not exist. */
  get(key: string, type?: "text"): Promise<string | null>;
  get<Value = unknown>(key: string, type: "json"): Promise<Value | null>;
  get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>;
  get(key: string, type: "stream"): Promise<ReadableStream<Uint8Array> | null>;
  /** Like `get`, with the entry's properties. */
  getEntry(key: string, type?: "text"): Promise<ValueEntry<string> | null>;
  getEntry<Value = unknown>(key: string, type: "json"): Promise<ValueEntry<Value> | null>;
  getEntry(key: string, type: "arrayBuffer"): Promise<ValueEntry<ArrayBuffer> | null>;
  getEntry(key: string, type: "stream"): Promise<ValueEntry<ReadableStream<Uint8Array>> | null>;
  /** Stores a value of up to 25 MiB. It replaces the value and all properties: `type`, `ttl` and `metadata`. */
  put(
    key: string,
    value: string | ArrayBuffer | ArrayBufferView | ReadableStream<Uint8Array>,
    options?: Properties & Conditions,
  ): Promise<Written>;
  /** Deletes a key. @returns whether it existed */
  delete(key: string, conditions?: Conditions): Promise<boolean>;
  /**
   * Reads a value and deletes its key, atomically: of many callers, one gets the value. Null if the key does not exist. A
   * value that can't be returned as this type is not deleted.
   */
  getAndDelete(key: string, type?: "text", conditions?: Conditions): Promise<string | null>;
  getAndDelete<Value = unknown>(key: string, type: "json", conditions?: Conditions): Promise<Value | null>;
  getAndDelete(key: string, type: "arrayBuffer", conditions?: Conditions): Promise<ArrayBuffer | null>;
  getAndDelete(
    key: string,
    type: "stream",
    conditions?: Conditions,
  ): Promise<ReadableStream<Uint8Array> | null>;
  /** Adds to a counter, atomically. */
  increment(key: string, options?: IncrementOptions, once?: Once & Conditions): Promise<Incremented>;
  /** A page of keys, ordered by their bytes. */
  list(query?: ListQuery): Promise<KeysPage>;
  /** Deletes all keys of a range, which must be given. @returns how many keys were deleted */
  deleteRange(range: Range): Promise<number>;
  /** Runs up to 1,000 operations in one round trip. A refused one has an `error` and does not affect the others. */
  batch(operations: readonly Operation[]): Promise<BatchResults["results"]>;
  /** Compares, then runs one list of operations. If one of them is refused, nothing is changed. */
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
export type IncrementOptions = IncrementJson<GivenInteger>;
export type Operation = OperationJson<GivenInteger>;
export type Comparison = ComparisonJson<GivenInteger>;
export type Transaction = TransactionJson<GivenInteger>;
