/** The client's public types. Where they are the service's own JSON, they are declared in contract/. */

import type { BucketJson as BucketInfo, BucketOptionsJson } from "../contract/buckets.ts";
import type {
  ConditionsJson as Conditions,
  ImportResult,
  RangeJson as Range,
  Written,
  EntryInfoJson,
  ListQueryJson,
} from "../contract/entries.ts";
import type { Relation, ResultJson, TransactionResults } from "../contract/operations.ts";
import type { DecodeError } from "./errors.ts";

export type { BucketInfo, Conditions, ImportResult, Range, Written };

/** A type whose members are a bucket's keys, with the types of their values. */
export type Entries = object;
/** The keys of a bucket whose entries have the type `T`. */
export type Key<T extends Entries> = keyof T & string;

/** What is stored beside a value. Each put replaces all of it. */
export interface Properties {
  /** The content type; the codec's by default. */
  readonly type?: string | undefined;
  /** Time to live, in seconds. */
  readonly ttl?: number | undefined;
  /** Time of expiry; instead of `ttl`. */
  readonly expires?: Date | undefined;
  /** Any JSON of at most 1,024 bytes. */
  readonly metadata?: unknown;
}

/** Options of every call. */
export interface CallOptions {
  /** Aborts the call: it then throws the signal's reason, and the outcome is unknown. */
  readonly signal?: AbortSignal | undefined;
  /** Deadline in milliseconds. Default: the client's; one hour for an import; none for `update` as a whole. */
  readonly timeoutMs?: number | undefined;
}

/** Options of calls that the service can carry out exactly once. */
export interface OnceOptions {
  /**
   * The service carries out requests with the same key once. With a key, the client retries a request whose outcome is
   * unknown.
   */
  readonly idempotencyKey?: string | undefined;
}

/** What an increment adds, and to what. */
export interface IncrementOptions {
  /** 1 by default. */
  readonly by?: number | bigint | undefined;
  /** Start value if the key does not exist; 0 by default. */
  readonly initial?: number | bigint | undefined;
  /** Time to live in seconds if the key does not exist. An existing key keeps its expiry. */
  readonly ttl?: number | undefined;
}

/** A value with what is stored beside it. */
export interface Entry<Value = unknown> extends Pick<EntryInfoJson, "key" | "revision" | "etag" | "type"> {
  /** Undefined if values were not asked for, or if it is too large for this response: read it with `get`. */
  readonly value: Value | undefined;
  /** Size of the value in bytes. */
  readonly size: number | undefined;
  /** Time of the write, with the precision of milliseconds. Undefined from `get` and `entry`. */
  readonly modified: Date | undefined;
  /** Undefined: never. */
  readonly expires: Date | undefined;
  readonly metadata: unknown;
}

/** The result of an increment. */
export interface Incremented extends Written {
  /** A number; a bigint beyond 2^53. */
  readonly value: number | bigint;
}

/** Which entries a list has, and in which order. */
export interface ListOptions extends Range, Pick<ListQueryJson, "reverse" | "values">, CallOptions {
  /** Continue after a {@link DecodeError}: its `details.cursor`. */
  readonly cursor?: string | undefined;
  /** Most entries in total; no limit by default. */
  readonly limit?: number | undefined;
}

/** Options for creating a bucket. They can't be changed later. */
export type BucketOptions = BucketOptionsJson;

/** A restart or the end of a bucket. `reason` is for example `normal`, `killed`, `crash: …` or `noproc`. */
export interface BucketEvent {
  readonly event: "RESTARTED" | "DOWN";
  readonly name: string;
  readonly reason: string;
  /** Undefined, like `at`, if there was no bucket. */
  readonly incarnation?: string;
  readonly at?: string;
}

/** One operation of a batch or transaction. */
export type Operation<T extends Entries = Record<string, unknown>> = {
  [K in Key<T>]:
    | ({ readonly op: "get"; readonly key: K } & Conditions)
    | ({ readonly op: "put"; readonly key: K; readonly value: T[K] } & Properties & Conditions)
    | ({ readonly op: "delete"; readonly key: K } & Conditions)
    | ({ readonly op: "getAndDelete"; readonly key: K } & Conditions)
    | ({ readonly op: "increment"; readonly key: K } & IncrementOptions & Conditions);
}[Key<T>];

/** Compares one property of a key: give exactly one of `exists`, `revision`, `value` and `integer`. */
export type Comparison<T extends Entries = Record<string, unknown>> = {
  [K in Key<T>]: {
    readonly key: K;
    /** `=` by default. */
    readonly is?: Relation | undefined;
    readonly exists?: boolean | undefined;
    readonly revision?: number | undefined;
    readonly integer?: number | bigint | undefined;
    readonly value?: T[K] | undefined;
  };
}[Key<T>];

/** Runs `then` if all comparisons hold, otherwise `else`. Missing lists are empty. */
export interface Transaction<T extends Entries = Record<string, unknown>> {
  readonly if?: readonly Comparison<T>[] | undefined;
  readonly then?: readonly Operation<T>[] | undefined;
  readonly else?: readonly Operation<T>[] | undefined;
}

/** The result of one operation. */
export type Result<Value = unknown> =
  | ({ readonly op: "get" | "getAndDelete"; readonly found: true } & Entry<Value>)
  | Exclude<ResultJson, { readonly found: true } | { readonly op: "increment" }>
  | ({ readonly op: "increment"; readonly key: string } & Incremented);

/** The result of {@link Bucket.transaction}. */
export interface TransactionResult<Value> extends Pick<TransactionResults, "succeeded"> {
  /** One result per operation, in order. A value that the codec can't decode is a {@link DecodeError}. */
  readonly results: readonly (Result<Value> | DecodeError)[];
}

/** Which changes a watch has, and where it begins. */
export interface WatchOptions {
  readonly prefix?: string | undefined;
  /** Watch this key only; instead of `prefix`. */
  readonly key?: string | undefined;
  /** Include values of up to 64 KiB; true by default. */
  readonly values?: boolean | undefined;
  /** Begin with all existing entries. Ignored with `since`. */
  readonly snapshot?: boolean | undefined;
  /** Begin after this change's `id`, or after this revision. */
  readonly since?: string | number | undefined;
  /** Called when the watch is connected, and after each reconnection: changes from now on arrive. */
  readonly onOpen?: (() => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An event of a watch. Pass its `id` as `since` to resume after it. */
export type Change<Value = unknown> =
  /** A snapshot begins. A second `begin` means that the first snapshot was cut off: discard its entries. */
  | { readonly event: "begin" }
  | ({ readonly event: "entry" } & Entry<Value>)
  | { readonly event: "end_of_snapshot"; readonly id: string; readonly revision: number }
  | ({ readonly event: "put"; readonly id: string } & Entry<Value>)
  | {
      readonly event: "delete" | "expired";
      readonly id: string;
      readonly key: string;
      readonly revision: number;
      readonly at: Date;
    };
