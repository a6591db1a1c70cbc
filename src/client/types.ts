/** What the client takes and gives. */

/** Values by key, as a bucket's user sees them. */
export type Entries = object;
export type Key<T extends Entries> = keyof T & string;

export interface Properties {
  /** The content type; the codec's if left out. */
  readonly type?: string | undefined;
  /** Seconds that the entry lives. */
  readonly ttl?: number | undefined;
  /** When it expires; instead of `ttl`. */
  readonly expires?: Date | undefined;
  /** Any JSON, at most 1,024 bytes. */
  readonly metadata?: unknown;
}

/** Under which a call is done; an etag, several of them, or `*`. */
export interface Conditions {
  readonly ifMatch?: string | readonly string[] | undefined;
  readonly ifNoneMatch?: string | readonly string[] | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; the client's if left out. An import has an hour then, and `update` no time of its own. */
  readonly timeoutMs?: number | undefined;
}

export interface OnceOptions {
  /**
   * With the same key the same request is done once, however often it is sent: the client then repeats it where it
   * doesn't know what became of it.
   */
  readonly idempotencyKey?: string | undefined;
}

export interface IncrementOptions {
  /** 1 if left out. */
  readonly by?: number | bigint | undefined;
  /** What a key counts from that is not there; 0 if left out. */
  readonly initial?: number | bigint | undefined;
  /** Seconds that a key lives that is not there; one that is there keeps its own. */
  readonly ttl?: number | undefined;
}

export interface Entry<Value = unknown> {
  readonly key: string;
  /** Undefined where it was not asked for, or is too large to travel with others. */
  readonly value: Value | undefined;
  /** The bucket's revision that wrote it. */
  readonly revision: number;
  readonly etag: string;
  /** The content type. */
  readonly type: string;
  /** Bytes of the value. */
  readonly size: number | undefined;
  readonly modified: Date | undefined;
  readonly expires: Date | undefined;
  readonly metadata: unknown;
}

export interface Written {
  readonly created: boolean;
  readonly revision: number;
  readonly etag: string;
}

export interface Incremented extends Written {
  /** A bigint beyond 2^53. */
  readonly value: number | bigint;
}

export interface Range {
  readonly prefix?: string | undefined;
  /** The first key, included. */
  readonly start?: string | undefined;
  /** The end, not included. */
  readonly end?: string | undefined;
}

export interface ListOptions extends Range, CallOptions {
  readonly reverse?: boolean | undefined;
  /** With values of up to 1 MiB. */
  readonly values?: boolean | undefined;
  /** Begin behind what an error's `details.cursor` says. */
  readonly cursor?: string | undefined;
  /** How many in all; as many as there are if left out. */
  readonly limit?: number | undefined;
}

export interface ImportResult {
  readonly lines: number;
  readonly imported: number;
  readonly unchanged: number;
  readonly expired: number;
  readonly failed: number;
  readonly errors: readonly { readonly line: number; readonly code: string; readonly detail: string }[];
}

export interface BucketOptions {
  readonly restart?: "permanent" | "temporary" | undefined;
  readonly locationHint?: string | undefined;
  readonly jurisdiction?: string | undefined;
  readonly metadata?: unknown;
}

export interface BucketInfo {
  readonly name: string;
  readonly id: string;
  readonly incarnation: string;
  readonly status: "running" | "suspect" | "unreachable";
  readonly restart: "permanent" | "temporary";
  readonly restarts: number;
  readonly lastReason?: string;
  readonly createdAt: string;
  /** As it was created with. */
  readonly jurisdiction?: string;
  readonly locationHint?: string;
  readonly metadata?: unknown;
  readonly entries?: number;
  readonly bytes?: number;
  readonly revision?: number;
  readonly probedAt?: string;
  readonly probeAgeMs?: number;
}

/** What becomes of a bucket. */
export interface BucketEvent {
  readonly event: "RESTARTED" | "DOWN";
  readonly name: string;
  readonly reason: string;
  /** Undefined, as is `at`, if there was no bucket. */
  readonly incarnation?: string;
  readonly at?: string;
}

/** One operation of a batch or transaction. */
export type Operation<T extends Entries = Record<string, unknown>> = {
  [K in Key<T>]:
    | ({ readonly op: "get"; readonly key: K } & Conditions)
    | ({ readonly op: "put"; readonly key: K; readonly value: T[K] } & Properties & Conditions)
    | ({ readonly op: "delete"; readonly key: K } & Conditions)
    | ({ readonly op: "increment"; readonly key: K } & IncrementOptions & Conditions);
}[Key<T>];

/** Compares one of `exists`, `revision`, `value` and `integer`. */
export type Comparison<T extends Entries = Record<string, unknown>> = {
  [K in Key<T>]: {
    readonly key: K;
    /** `=` if left out. */
    readonly is?: "=" | "!=" | "<" | "<=" | ">" | ">=" | undefined;
    readonly exists?: boolean | undefined;
    readonly revision?: number | undefined;
    readonly integer?: number | bigint | undefined;
    readonly value?: T[K] | undefined;
  };
}[Key<T>];

export interface Transaction<T extends Entries = Record<string, unknown>> {
  readonly if?: readonly Comparison<T>[] | undefined;
  readonly then?: readonly Operation<T>[] | undefined;
  readonly else?: readonly Operation<T>[] | undefined;
}

export type Result<Value = unknown> =
  | ({ readonly op: "get"; readonly found: true } & Entry<Value>)
  | { readonly op: "get"; readonly found: false; readonly key: string }
  | ({ readonly op: "put"; readonly key: string } & Written)
  | { readonly op: "delete"; readonly key: string; readonly deleted: boolean }
  | ({ readonly op: "increment"; readonly key: string } & Incremented);

export interface WatchOptions {
  readonly prefix?: string | undefined;
  /** Only this key; instead of `prefix`. */
  readonly key?: string | undefined;
  /** With values of up to 64 KiB; true if left out. */
  readonly values?: boolean | undefined;
  /** Begin with all that is there, unless `since` is given: who has an id has had the snapshot. */
  readonly snapshot?: boolean | undefined;
  /** Begin behind a change's `id`, or a revision. */
  readonly since?: string | number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a watcher hears. `id` is what to come back with. */
export type Change<Value = unknown> =
  /** A snapshot begins; a second time, if the first was not heard to its end: forget what it said. */
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
