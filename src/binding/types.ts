/**
 * What a Worker that binds the service sees of it, `durable-kv/binding`: types, with nothing but the platform's own beside
 * them, and what reads the code of an error.
 */

export { kvFailure, type KvFailure } from "./failure.ts";

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
  buckets(query?: {
    readonly prefix?: string;
    readonly cursor?: string;
    readonly limit?: number;
  }): Promise<{ readonly buckets: readonly BucketInfo[]; readonly cursor?: string | undefined }>;
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
  list(query?: ListQuery): Promise<{ readonly keys: readonly Entry[]; readonly cursor?: string }>;
  /** Deletes all keys of a range, which has to be said. @returns how many there were */
  deleteRange(range: Range): Promise<number>;
  /** Up to 1,000 operations in one round trip, each by itself: one that is turned down leaves the others alone. */
  batch(operations: readonly Operation[]): Promise<readonly (Result | Failed)[]>;
  /** Compares, then does one list of operations: all of it, or, if one is turned down, nothing. */
  transaction(
    transaction: Transaction,
    once?: Once,
  ): Promise<{ readonly succeeded: boolean; readonly results: readonly Result[] }>;
}

export interface BucketOptions {
  readonly restart?: "permanent" | "temporary";
  readonly locationHint?: "wnam" | "enam" | "sam" | "weur" | "eeur" | "apac" | "oc" | "afr" | "me";
  readonly jurisdiction?: "eu" | "fedramp" | "fedramp-high";
  readonly metadata?: unknown;
}

export interface BucketInfo {
  readonly name: string;
  readonly id: string;
  readonly incarnation: string;
  readonly status: "running" | "suspect" | "unreachable";
  readonly restart: "permanent" | "temporary";
  readonly restarts: number;
  readonly lastReason?: string | undefined;
  /** RFC 3339, as `probedAt`. */
  readonly createdAt: string;
  /** As it was created with. */
  readonly jurisdiction?: string | undefined;
  readonly locationHint?: string | undefined;
  readonly metadata?: unknown;
  /** As the last probe brought them: `probeAgeMs` ago. */
  readonly entries?: number | undefined;
  readonly bytes?: number | undefined;
  readonly revision?: number | undefined;
  readonly probedAt?: string | undefined;
  readonly probeAgeMs?: number | undefined;
}

export type Properties = Lifetime & {
  /** The content type. */
  readonly type?: string;
  /** Any JSON, at most 1,024 bytes. */
  readonly metadata?: unknown;
};

/** In seconds, also parts of one, or a time (RFC 3339); or neither: it lives for ever. */
export type Lifetime =
  { readonly ttl?: number; readonly expires?: never } | { readonly ttl?: never; readonly expires?: string };

/** Under which it is done: an etag, several of them, or `*`. */
export interface Conditions {
  readonly ifMatch?: string | readonly string[];
  readonly ifNoneMatch?: string | readonly string[];
}

export interface Once {
  /** With the same key the same request is done once, however often it is sent. */
  readonly idempotencyKey?: string;
}

/** Beyond 2^53 an integer is its digits. */
export type Integer = number | string;
/** How an integer of 64 bits may be given. */
export type GivenInteger = Integer | bigint;

/** `initial` and the lifetime are those of a key that is not there yet. */
export type IncrementOptions = Lifetime & {
  /** 1 if left out. */
  readonly by?: GivenInteger;
  /** 0 if left out. */
  readonly initial?: GivenInteger;
};

export interface Range {
  readonly prefix?: string;
  /** The first key, included. */
  readonly start?: string;
  /** The end, not included. */
  readonly end?: string;
}

export interface ListQuery extends Range {
  readonly reverse?: boolean;
  /** With values of up to 1 MiB. */
  readonly values?: boolean;
  readonly cursor?: string;
  /** 1,000 at most, and if left out. */
  readonly limit?: number;
}

export interface EntryInfo {
  readonly key: string;
  readonly revision: number;
  readonly etag: string;
  /** The content type. */
  readonly type: string;
  /** Bytes of the value. */
  readonly size: number;
  /** RFC 3339, as `expires`. */
  readonly modified?: string;
  readonly expires?: string;
  readonly metadata?: unknown;
}

/** The value as text or, where its bytes are no UTF-8, in base64; neither, where it is too large to travel with others. */
export interface Entry extends EntryInfo {
  readonly value?: string;
  readonly base64?: string;
}

export interface ValueEntry<Value> extends EntryInfo {
  readonly value: Value;
}

export interface Written {
  readonly created: boolean;
  readonly revision: number;
  readonly etag: string;
}

export interface Incremented extends Written {
  readonly value: Integer;
}

/** A value as text, as JSON, or in base64. */
export type GivenValue =
  | { readonly value: string; readonly json?: never; readonly base64?: never }
  | { readonly json: unknown; readonly value?: never; readonly base64?: never }
  | { readonly base64: string; readonly value?: never; readonly json?: never };

export type Operation =
  | ({ readonly op: "get"; readonly key: string } & Conditions)
  | ({ readonly op: "put"; readonly key: string } & GivenValue & Properties & Conditions)
  | ({ readonly op: "delete"; readonly key: string } & Conditions)
  | ({ readonly op: "increment"; readonly key: string } & IncrementOptions & Conditions);

/** `=` if nothing is said. A key that is not there, or no integer where one is compared, is only `!=`. */
export type Comparison = {
  readonly key: string;
  readonly is?: "=" | "!=" | "<" | "<=" | ">" | ">=";
} & (
  | { readonly exists: boolean }
  | { readonly revision: number }
  | { readonly integer: GivenInteger }
  | GivenValue
);

export interface Transaction {
  readonly if?: readonly Comparison[];
  readonly then?: readonly Operation[];
  readonly else?: readonly Operation[];
}

export type Result =
  | ({ readonly op: "get"; readonly found: true } & Entry)
  | { readonly op: "get"; readonly found: false; readonly key: string }
  | ({ readonly op: "put"; readonly key: string } & Written)
  | { readonly op: "delete"; readonly key: string; readonly deleted: boolean }
  | ({ readonly op: "increment"; readonly key: string } & Incremented);

/** An operation of a batch that was turned down, and changed nothing. */
export interface Failed {
  readonly op: Operation["op"];
  readonly key: string;
  readonly error: {
    readonly code: string;
    readonly status: number;
    readonly title: string;
    readonly detail: string;
  };
}
