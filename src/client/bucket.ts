/** One bucket. */

import type { Caller } from "./caller.ts";
import { bytes as bytesCodec, type Codec, type Encoded } from "./codecs.ts";
import { KvError, PreconditionFailedError } from "./errors.ts";
import type { Http, HttpRequest } from "./http.ts";
import { HttpCaller } from "./http-caller.ts";
import { onceHeader } from "./once.ts";
import { bucketPath, keyPlace } from "./paths.ts";
import { Session, type SessionOptions } from "./session.ts";
import type {
  CallOptions,
  Change,
  Conditions,
  Entries,
  Entry,
  Incremented,
  IncrementOptions,
  Key,
  ListOptions,
  OnceOptions,
  Operation,
  Properties,
  Range,
  Result,
  Transaction,
  WatchOptions,
  Written,
} from "./types.ts";
import { watch } from "./watch.ts";
import {
  conditionHeaders,
  decoded,
  entryOf,
  integerOf,
  incrementJson,
  operationJson,
  propertiesJson,
  resultOf,
  transactionJson,
} from "./wire.ts";

/** Bytes of a value that can travel with others. */
const WHOLE_BYTES = 1_048_576;
/** How often {@link Bucket.update} reads again after somebody else was faster. */
const MAX_UPDATES = 100;

export interface BucketContext {
  readonly name: string;
  readonly http: Http;
  readonly codec: Codec;
  readonly session: SessionOptions;
  /** Where calls go; each by itself over HTTP if left out. */
  readonly caller?: Caller;
}

export interface TransactionResult<Value> {
  /** Whether every comparison held, and so `then` was done; otherwise `else` was. */
  readonly succeeded: boolean;
  readonly results: readonly Result<Value>[];
}

/**
 * A bucket's values by key. `T` says which keys there are and what their values are:
 * `kv.bucket<{ milk: number }>("shopping")`.
 *
 * Every call is one request, and throws a {@link KvError} of a class by its code.
 */
export class Bucket<T extends Entries = Record<string, unknown>> {
  readonly name: string;
  readonly #context: BucketContext;
  readonly #caller: Caller;
  readonly #codec: Codec;
  readonly #path: string;

  constructor(context: BucketContext) {
    this.name = context.name;
    this.#context = context;
    this.#codec = context.codec;
    this.#path = bucketPath(context.name);
    this.#caller = context.caller ?? new HttpCaller(context.http, this.#path);
  }

  /** The value; undefined if the key is not there. */
  async get<K extends Key<T>>(key: K, options: CallOptions = {}): Promise<T[K] | undefined> {
    return (await this.entry(key, options))?.value;
  }

  /** The value with what is kept beside it; undefined if the key is not there. */
  async entry<K extends Key<T>>(key: K, options: CallOptions = {}): Promise<Entry<T[K]> | undefined> {
    if (this.#context.caller === undefined) return this.#getOverHttp(key, options);
    const result = await this.#one({ op: "get", key }, options);
    if (result.op !== "get" || !result.found) return undefined;
    // One that is too large to travel with others is read by itself.
    return result.value === undefined ? this.#getOverHttp(key, options) : (result as Entry<T[K]>);
  }

  /** Whether the key is there. */
  async has(key: Key<T>, options: CallOptions = {}): Promise<boolean> {
    const request = { ...this.#key(key), method: "HEAD", ...options, safe: true, accept: [404] };
    return this.#context.http.ask(request.path, request, async ({ ok, headers }) => {
      if (ok || headers.get("Content-Type") !== "application/problem+json") return ok;
      // Nothing but the status tells a key that is missing from a bucket that is: the list knows.
      await this.#caller.list({ limit: 1 }, options);
      return false;
    });
  }

  /**
   * Stores a value. A `ttl`, `metadata` and type that are not given again are gone.
   * @throws {PreconditionFailedError} if `ifMatch` or `ifNoneMatch` does not hold
   */
  async put<K extends Key<T>>(
    key: K,
    value: T[K],
    options: Properties & Conditions & CallOptions = {},
  ): Promise<Written> {
    const encoded = this.#codec.encode(value);
    if (this.#context.caller === undefined || sizeOf(encoded) > WHOLE_BYTES) {
      return this.#putOverHttp(key, encoded, options);
    }
    const { signal: _, timeoutMs: __, ...rest } = options;
    const operation = { op: "put", key, value, ...rest } as Operation<T>;
    const { created, revision, etag } = (await this.#one(operation, callOf(options))) as Written;
    return { created, revision, etag };
  }

  /** @returns whether the key was there. */
  async delete(key: Key<T>, options: Conditions & CallOptions = {}): Promise<boolean> {
    const { signal: _, timeoutMs: __, ...conditions } = options;
    const operation = { op: "delete", key, ...conditions } as Operation<T>;
    const result = await this.#one(operation, callOf(options));
    return result.op === "delete" && result.deleted;
  }

  /** Adds to a counter, atomically. */
  async increment(
    key: Key<T>,
    options: IncrementOptions & Conditions & OnceOptions & CallOptions = {},
  ): Promise<Incremented> {
    const { idempotencyKey, signal, timeoutMs } = options;
    const { path, query } = this.#key(key, "/increment");
    const request: HttpRequest = {
      method: "POST",
      query,
      headers: { ...conditionHeaders(options), ...onceHeader(idempotencyKey) },
      body: JSON.stringify(incrementJson(options)),
      signal,
      timeoutMs,
      safe: idempotencyKey !== undefined,
    };
    if (this.#context.caller !== undefined && idempotencyKey === undefined) {
      const { signal: _, timeoutMs: __, idempotencyKey: ___, ...rest } = options;
      const { value, created, revision, etag } = (await this.#one(
        { op: "increment", key, ...rest },
        callOf(options),
      )) as Incremented;
      return { value, created, revision, etag };
    }
    return this.#context.http.ask(path, request, async (response) => {
      const { value, ...rest } = (await response.json()) as Omit<Incremented, "value"> & {
        value: number | string;
      };
      return { ...rest, value: integerOf(value) };
    });
  }

  /**
   * Changes a value by what it is: reads it, and puts what `change` makes of it, unless somebody else was faster; then
   * again. `change` may be called more than once. As with a put, a `ttl` and `metadata` that are not given are gone.
   * @returns what was put; undefined if `change` said to leave it
   */
  async update<K extends Key<T>>(
    key: K,
    change: (value: T[K] | undefined) => T[K] | undefined | Promise<T[K] | undefined>,
    options: Properties & CallOptions = {},
  ): Promise<T[K] | undefined> {
    for (let tries = 1; ; tries += 1) {
      const entry = await this.entry(key, options);
      const value = await change(entry?.value);
      if (value === undefined) return undefined;
      const condition = entry === undefined ? { ifNoneMatch: "*" } : { ifMatch: entry.etag };
      try {
        await this.put(key, value, { ...options, ...condition });
        return value;
      } catch (error) {
        if (!(error instanceof PreconditionFailedError) || tries === MAX_UPDATES) throw error;
      }
    }
  }

  /** Entries in the order of their keys, page by page. What is written meanwhile neither skips nor doubles another. */
  async *list(options: ListOptions = {}): AsyncGenerator<Entry<T[Key<T>]>, void, void> {
    const { signal: _, timeoutMs: __, limit = Infinity, ...query } = options;
    const call = callOf(options);
    let cursor: string | undefined;
    for (let left = limit; left > 0;) {
      const page = await this.#caller.list(
        { ...query, limit: Math.min(left, 1_000), ...(cursor !== undefined && { cursor }) },
        call,
      );
      for (const wire of page.keys) yield entryOf(wire, this.#codec) as Entry<T[Key<T>]>;
      left -= page.keys.length;
      cursor = page.cursor;
      if (cursor === undefined) return;
    }
  }

  /** Deletes all keys of a range. @returns how many there were */
  async deleteRange(range: Range, options: CallOptions = {}): Promise<number> {
    const request: HttpRequest = { method: "DELETE", query: { ...range }, ...options, safe: false };
    return this.#context.http.ask(`${this.#path}/keys`, request, async (response) => {
      return ((await response.json()) as { readonly deleted: number }).deleted;
    });
  }

  /** Many operations in one round trip, each by itself: one that is turned down is its error, and leaves the others alone. */
  async batch(
    operations: readonly Operation<T>[],
    options: CallOptions = {},
  ): Promise<(Result<T[Key<T>]> | KvError)[]> {
    const sent = operations.map((operation) => operationJson(operation, this.#codec));
    const results = await this.#caller.batch(sent, options);
    return results.map((result) => resultOf(result, this.#codec) as Result<T[Key<T>]> | KvError);
  }

  /** Compares, then does one list of operations: all of it, or, if one is turned down, nothing. */
  async transaction(
    transaction: Transaction<T>,
    options: OnceOptions & CallOptions = {},
  ): Promise<TransactionResult<T[Key<T>]>> {
    const { succeeded, results } = await this.#caller.transact(
      transactionJson(transaction, this.#codec),
      options,
    );
    return {
      succeeded,
      results: results.map((result) => resultOf(result, this.#codec) as Result<T[Key<T>]>),
    };
  }

  /**
   * Changes as they happen, every one once and in order. It comes back by itself where the connection breaks.
   * @throws {BucketDownError} when the bucket ends; `RevisionCompactedError` where the log no longer reaches back
   */
  watch(options: WatchOptions = {}): AsyncGenerator<Change<T[Key<T>]>, void, void> {
    const { http } = this.#context;
    return watch(http, this.#path, options, this.#codec) as AsyncGenerator<Change<T[Key<T>]>, void, void>;
  }

  /** All entries as NDJSON, one a line. */
  async export(
    options: { readonly prefix?: string } & CallOptions = {},
  ): Promise<ReadableStream<Uint8Array>> {
    const { prefix, ...call } = options;
    const response = await this.#context.http.open(`${this.#path}/export`, {
      query: { prefix },
      ...call,
      safe: true,
    });
    return response.body ?? new ReadableStream({ start: (controller) => controller.close() });
  }

  /** Brings entries of an export back; to send them again changes nothing. */
  async import(
    lines: ReadableStream<Uint8Array> | string,
    options: { readonly onError?: "stop" | "continue" } & CallOptions = {},
  ): Promise<ImportResult> {
    const { onError, timeoutMs = 3_600_000, signal } = options;
    const request: HttpRequest = {
      method: "POST",
      query: { onError },
      headers: { "Content-Type": "application/x-ndjson" },
      body: lines,
      timeoutMs,
      signal,
      // As a put: it would undo what somebody else has written between two tries.
      safe: false,
    };
    return this.#context.http.ask(
      `${this.#path}/import`,
      request,
      (response) => response.json() as Promise<ImportResult>,
    );
  }

  /**
   * The same bucket on a WebSocket of its own: what is asked for in one turn travels together, and is done in its order.
   * What can't travel with others goes by itself over HTTP, in no order with them: values of more than 1 MiB, `has`,
   * `deleteRange`, an increment with an idempotency key, `export`, `import`, `watch`.
   */
  session(): Session<T> {
    const { http, session } = this.#context;
    return new Session<T>(
      (caller) => new Bucket<T>({ ...this.#context, caller }),
      () => http.ask(this.#path, { safe: true }, async (response) => response.body?.cancel()),
      http.address(`${this.#path}/session`),
      http.token,
      session,
    );
  }

  async #one(operation: Operation<T>, options: CallOptions): Promise<Result> {
    const [wire] = await this.#caller.batch([operationJson(operation, this.#codec)], options);
    if (wire === undefined) throw new KvError("unexpected_answer", "The service has left out a result.");
    const result = resultOf(wire, this.#codec);
    if (result instanceof KvError) throw result;
    return result;
  }

  async #getOverHttp<K extends Key<T>>(key: K, options: CallOptions): Promise<Entry<T[K]> | undefined> {
    const { path, query } = this.#key(key);
    const request: HttpRequest = { query, ...options, safe: true };
    try {
      const [headers, body] = await this.#context.http.ask(
        path,
        request,
        async (response) => [response.headers, new Uint8Array(await response.arrayBuffer())] as const,
      );
      return this.#entryOf(key, headers, body) as Entry<T[K]>;
    } catch (error) {
      if (error instanceof KvError && error.code === "key_not_found") return undefined;
      throw error;
    }
  }

  #entryOf(key: string, headers: Headers, body: Uint8Array): Entry {
    const type = headers.get("Content-Type") ?? bytesCodec.type;
    const expires = headers.get("KV-Expires");
    const metadata = headers.get("KV-Metadata");
    return {
      key,
      value: decoded(this.#codec, body, type, key),
      revision: Number(headers.get("KV-Revision")),
      etag: unquoted(headers),
      type,
      size: body.byteLength,
      modified: undefined,
      expires: expires === null ? undefined : new Date(expires),
      metadata: metadata === null ? undefined : (JSON.parse(metadata) as unknown),
    };
  }

  async #putOverHttp(
    key: string,
    encoded: Encoded,
    options: Properties & Conditions & CallOptions,
  ): Promise<Written> {
    const { path, query } = this.#key(key);
    const { metadata, ...lifetime } = propertiesJson(options);
    const { signal, timeoutMs, type = this.#codec.type } = options;
    const request: HttpRequest = {
      method: "PUT",
      query: { ...query, ...lifetime, ...(metadata !== undefined && { metadata: JSON.stringify(metadata) }) },
      headers: { "Content-Type": type, ...conditionHeaders(options) },
      body: encoded,
      signal,
      timeoutMs,
      // Between two tries somebody else may have put another value, which the second would undo.
      safe: false,
    };
    return this.#context.http.ask(path, request, async ({ status, headers }) => {
      const etag = unquoted(headers);
      if (etag === "") throw notOurs(status);
      return { created: status === 201, revision: Number(headers.get("KV-Revision")), etag };
    });
  }

  #key(
    key: string,
    behind = "",
  ): { readonly path: string; readonly query: NonNullable<HttpRequest["query"]> } {
    const { path, query } = keyPlace(key);
    return { path: this.#path + path + behind, query: { ...query } };
  }
}

export interface ImportResult {
  readonly lines: number;
  readonly imported: number;
  readonly unchanged: number;
  readonly expired: number;
  readonly failed: number;
  readonly errors: readonly { readonly line: number; readonly code: string; readonly detail: string }[];
}

/** What of the options is about the call, and not about what it asks for. */
function callOf({ signal, timeoutMs }: CallOptions): CallOptions {
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

function unquoted(headers: Headers): string {
  return (headers.get("ETag") ?? "").replaceAll('"', "");
}

/** Something on the way has answered in the service's place. Whether the service was asked is not known. */
function notOurs(status: number): KvError {
  return new KvError("unexpected_answer", `The answer is not the service's: HTTP ${status}, and no ETag.`);
}

function sizeOf(encoded: Encoded): number {
  if (typeof encoded !== "string") return encoded.byteLength;
  // A character is at most three bytes.
  return encoded.length * 3 <= WHOLE_BYTES ? encoded.length : new TextEncoder().encode(encoded).byteLength;
}
