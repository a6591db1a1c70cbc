/** One bucket. */

import { jsonOf, only, orUndefined, parsed, shaped, unexpected, versionOf, type Version } from "./answers.ts";
import type { Caller } from "./caller.ts";
import { bytes as bytesCodec, type Codec, type Encoded } from "./codecs.ts";
import { conditionHeaders } from "./conditions.ts";
import { backoff, pause, within } from "./deadline.ts";
import { type DecodeError, KvError, PreconditionFailedError } from "./errors.ts";
import { jsonText } from "./json-text.ts";
import type { Http, HttpRequest } from "./http.ts";
import { HttpCaller } from "./http-caller.ts";
import { onceHeader } from "./once.ts";
import { bucketPath, keyPlace } from "./paths.ts";
import { BucketSession, type SessionOptions } from "./session.ts";
import { checkMembers, checkOptions, RANGE, refused } from "./options.ts";
import { shown } from "./shown.ts";
import { isLargerThan } from "./size.ts";
import { exported, imported, type ExportOptions, type ImportOptions } from "./transfer.ts";
import type {
  CallOptions,
  Change,
  Conditions,
  Entries,
  Entry,
  ImportResult,
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
  decoded,
  encodedBy,
  deletedOf,
  incrementedOf,
  incrementJson,
  listedOf,
  operationJson,
  operationsJson,
  pageOf,
  propertiesJson,
  resultsOf,
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
  /** What each operation gave; a value that can't be read stands there as its error. */
  readonly results: readonly (Result<Value> | DecodeError)[];
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
    checkOptions("get", options);
    return (await this.#entry(key, options))?.value;
  }

  /** The value with what is kept beside it; undefined if the key is not there. */
  async entry<K extends Key<T>>(key: K, options: CallOptions = {}): Promise<Entry<T[K]> | undefined> {
    checkOptions("entry", options);
    return this.#entry(key, options);
  }

  /** Whether the key is there. */
  async has(key: Key<T>, options: CallOptions = {}): Promise<boolean> {
    checkOptions("has", options);
    const { path, query } = this.#key(key);
    // Spares the value where it is there, as a HEAD does; but what is wrong is said in a body, which a HEAD has not.
    const headers = { "If-None-Match": "*" };
    const request: HttpRequest = { query, headers, ...options, safe: true, accept: [304] };
    return (await orUndefined("key_not_found", this.#context.http.ask(path, request, only(304)))) ?? false;
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
    checkOptions("put", options);
    const encoded = encodedBy(this.#codec, value);
    if (this.#context.caller === undefined || isLargerThan(WHOLE_BYTES, encoded)) {
      return this.#putOverHttp(key, encoded, options);
    }
    const { signal: _, timeoutMs: __, ...rest } = options;
    const operation = { op: "put", key, value, ...rest } as Operation<T>;
    const { created, revision, etag } = (await this.#one(operation, callOf(options))) as Written;
    return { created, revision, etag };
  }

  /** @returns whether the key was there. */
  async delete(key: Key<T>, options: Conditions & CallOptions = {}): Promise<boolean> {
    checkOptions("delete", options);
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
    checkOptions("increment", options);
    const { idempotencyKey, signal, timeoutMs } = options;
    const { path, query } = this.#key(key, "/increment");
    const request: HttpRequest = {
      method: "POST",
      query,
      headers: { ...conditionHeaders(options), ...onceHeader(idempotencyKey) },
      body: jsonText(incrementJson(options)),
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
    return incrementedOf(await this.#context.http.ask(path, request, jsonOf));
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
    checkOptions("update", options);
    if (typeof change !== "function") throw refused("options_invalid", "update takes a function.");
    const { signal, timeoutMs, ...properties } = options;
    // Without a time of its own it may take its time, as `change` may; each of its requests has the client's.
    return within({ signal, timeoutMs: timeoutMs ?? Infinity }, async (deadline) => {
      for (let tries = 0; ; tries += 1) {
        const entry = await this.entry(key, { signal: deadline });
        const value = await change(entry?.value);
        if (value === undefined) return undefined;
        const condition = entry === undefined ? { ifNoneMatch: "*" } : { ifMatch: entry.etag };
        try {
          await this.put(key, value, { ...properties, ...condition, signal: deadline });
          return value;
        } catch (error) {
          if (!(error instanceof PreconditionFailedError) || tries + 1 === MAX_UPDATES) throw error;
        }
        // Who all come back at once are in each other's way again.
        await pause(backoff(tries, this.#context.http.retryBaseMs), deadline);
      }
    });
  }

  /**
   * Entries in the order of their keys, page by page. What is written meanwhile neither skips nor doubles another.
   * @throws {InvalidRequestError} `bucket_changed`, if another bucket has taken the name between two pages
   */
  async *list(options: ListOptions = {}): AsyncGenerator<Entry<T[Key<T>]>, void, void> {
    checkOptions("list", options);
    const { signal: _, timeoutMs: __, limit = Infinity, ...query } = options;
    const call = callOf(options);
    if (typeof limit !== "number" || !(limit >= 0)) {
      throw refused("query_invalid", `list: limit has to be a number from 0 on, and not ${shown(limit)}.`);
    }
    let { cursor } = options;
    for (let left = limit; left > 0;) {
      const asked = { ...query, limit: Math.min(left, 1_000), ...(cursor !== undefined && { cursor }) };
      const page = pageOf(await this.#caller.list(asked, call));
      for (const told of page.keys) yield listedOf(told, this.#codec) as Entry<T[Key<T>]>;
      left -= page.keys.length;
      cursor = page.cursor;
      if (cursor === undefined) return;
    }
  }

  /** Deletes all keys of a range. @returns how many there were */
  async deleteRange(range: Range, options: CallOptions = {}): Promise<number> {
    checkMembers(range, RANGE, "deleteRange's range");
    checkOptions("deleteRange", options);
    const request: HttpRequest = { method: "DELETE", query: { ...range }, ...options, safe: false };
    const { deleted } = await this.#context.http.ask(`${this.#path}/keys`, request, deletedOf);
    return deleted;
  }

  /** Many operations in one round trip, each by itself: one that is turned down is its error, and leaves the others alone. */
  async batch(
    operations: readonly Operation<T>[],
    options: CallOptions = {},
  ): Promise<(Result<T[Key<T>]> | KvError)[]> {
    checkOptions("batch", options);
    const sent = operationsJson(operations, this.#codec);
    const told = await this.#caller.batch(sent, options);
    return resultsOf(told, sent.length, this.#codec) as (Result<T[Key<T>]> | KvError)[];
  }

  /** Compares, then does one list of operations: all of it, or, if one is turned down, nothing. */
  async transaction(
    transaction: Transaction<T>,
    options: OnceOptions & CallOptions = {},
  ): Promise<TransactionResult<T[Key<T>]>> {
    checkOptions("transaction", options);
    const told = await this.#caller.transact(transactionJson(transaction, this.#codec), options);
    const { succeeded } = shaped<{ readonly succeeded: boolean }>(told, { succeeded: "boolean" });
    const asked = (succeeded ? transaction.then : transaction.else) ?? [];
    const results = resultsOf(told, asked.length, this.#codec);
    return { succeeded, results: results as TransactionResult<T[Key<T>]>["results"] };
  }

  /**
   * Changes as they happen, every one once and in order. It comes back by itself where the connection breaks.
   * @throws {BucketDownError} when the bucket ends; `RevisionCompactedError` where the log no longer reaches back
   */
  watch(options: WatchOptions = {}): AsyncGenerator<Change<T[Key<T>]>, void, void> {
    checkOptions("watch", options);
    const { http } = this.#context;
    return watch(http, this.#path, options, this.#codec) as AsyncGenerator<Change<T[Key<T>]>, void, void>;
  }

  /** All entries as NDJSON, one a line. Where they break off, the stream throws a `ConnectionError`. */
  async export(options: ExportOptions = {}): Promise<ReadableStream<Uint8Array>> {
    return exported(this.#context.http, this.#path, options);
  }

  /** Brings entries of an export back; to send them again changes nothing. Lines that are not taken are cancelled. */
  async import(
    lines: ReadableStream<Uint8Array> | string,
    options: ImportOptions = {},
  ): Promise<ImportResult> {
    return imported(this.#context.http, this.#path, lines, options);
  }

  /**
   * The same bucket on a WebSocket of its own: what is asked for in one turn travels together, and is done in its order.
   * What can't travel with others goes by itself over HTTP, in no order with them: values of more than 1 MiB, `has`,
   * `deleteRange`, an increment with an idempotency key, `export`, `import`, `watch`.
   */
  session(options: Readonly<Record<string, never>> = {}): Session<T> {
    checkOptions("session", options);
    const { http, session } = this.#context;
    return new BucketSession(
      (caller) => new Bucket<T>({ ...this.#context, caller }),
      // Once: the session itself tries again.
      () => http.ask(this.#path, { safe: false }, async (response) => response.body?.cancel()),
      http.address(`${this.#path}/session`),
      http.token,
      session,
    );
  }

  async #entry<K extends Key<T>>(key: K, options: CallOptions): Promise<Entry<T[K]> | undefined> {
    if (this.#context.caller === undefined) return this.#getOverHttp(key, options);
    const result = await this.#one({ op: "get", key }, options);
    if (result.op !== "get" || !result.found) return undefined;
    // One that is too large to travel with others is read by itself.
    if (result.value === undefined) return this.#getOverHttp(key, options);
    const { op: _, found: __, ...entry } = result;
    return entry as Entry<T[K]>;
  }

  async #one(operation: Operation<T>, options: CallOptions): Promise<Result> {
    const told = await this.#caller.batch([operationJson(operation, this.#codec)], options);
    const [result] = resultsOf(told, 1, this.#codec);
    if (result instanceof KvError) throw result;
    if (result?.op !== operation.op) throw unexpected(`it is of another operation than ${operation.op}.`);
    return result;
  }

  async #getOverHttp<K extends Key<T>>(key: K, options: CallOptions): Promise<Entry<T[K]> | undefined> {
    const { path, query } = this.#key(key);
    const request: HttpRequest = { query, ...options, safe: true };
    const read = async (response: Response): Promise<Entry> => {
      const version = versionOf(response);
      return this.#entryOf(key, version, response.headers, new Uint8Array(await response.arrayBuffer()));
    };
    return orUndefined("key_not_found", this.#context.http.ask(path, request, read) as Promise<Entry<T[K]>>);
  }

  #entryOf(key: string, version: Version, headers: Headers, body: Uint8Array): Entry {
    const type = headers.get("Content-Type") ?? bytesCodec.type;
    const expires = headers.get("KV-Expires");
    const metadata = headers.get("KV-Metadata");
    return {
      key,
      value: decoded(this.#codec, body, { type, key }),
      ...version,
      type,
      size: body.byteLength,
      modified: undefined,
      expires: expires === null ? undefined : new Date(expires),
      metadata: metadata === null ? undefined : parsed(metadata),
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
      query: { ...query, ...lifetime, ...(metadata !== undefined && { metadata: jsonText(metadata) }) },
      headers: { "Content-Type": type, ...conditionHeaders(options) },
      body: encoded,
      signal,
      timeoutMs,
      // Between two tries somebody else may have put another value, which the second would undo.
      safe: false,
    };
    return this.#context.http.ask(path, request, async (response) => ({
      created: response.status === 201,
      ...versionOf(response),
    }));
  }

  #key(
    key: string,
    behind = "",
  ): { readonly path: string; readonly query: NonNullable<HttpRequest["query"]> } {
    const { path, query } = keyPlace(key);
    return { path: this.#path + path + behind, query: { ...query } };
  }
}

/** A bucket on a connection of its own; {@link Bucket.session} opens one. */
export type Session<T extends Entries> = BucketSession<Bucket<T>>;
export const Session = BucketSession;

/** What of the options is about the call, and not about what it asks for. */
function callOf({ signal, timeoutMs }: CallOptions): CallOptions {
  return { signal, timeoutMs };
}
