/** A bucket's methods: reads, writes, lists, batches, transactions, watches. */

import { checkShape } from "./answers.ts";
import type { Caller } from "./caller.ts";
import type { Codec } from "./codecs.ts";
import type { KvError } from "./errors.ts";
import type { HttpRequest } from "./http.ts";
import type { BucketContext } from "./bucket-context.ts";
import { HttpCaller } from "./http-caller.ts";
import { HttpKeys } from "./http-keys.ts";
import { checkMembers, checkOptions, invalidRequest, RANGE } from "./options.ts";
import { OneKey } from "./one-key.ts";
import { pages } from "./pages.ts";
import { bucketPath } from "./paths.ts";
import { BucketSession } from "./session.ts";
import { exportEntries, importEntries, type ExportOptions, type ImportOptions } from "./transfer.ts";
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
  TransactionResult,
  WatchOptions,
  Written,
} from "./types.ts";
import { isEmptyWithoutBucket, resultsWithoutBucket, type FirstWrite } from "./first-write.ts";
import { allWithDefaultTtl, withDefaultTtl } from "./lifetimes.ts";
import { update } from "./update.ts";
import { watch } from "./watch.ts";
import { deletedOf, operationsToJson, resultsOf, transactionToJson } from "./wire.ts";

/**
 * The entries of one bucket. `T` names the keys and the types of their values. `W` has the types of values that are
 * written, where a schema makes others of them.
 *
 * Each method sends one request and throws a {@link KvError}; its `code` says what went wrong. Codes that most methods
 * share: `bucket_not_found`, `timeout` and `connection_lost` (the outcome is unknown), and, before anything is sent,
 * `key_invalid` and `options_invalid`.
 * @example
 * ```ts
 * const pantry = kv.bucket<{ milk: number }>("pantry", { create: true });
 * await pantry.put("milk", 3);
 * console.log(await pantry.get("milk")); // 3
 * ```
 */
export class Bucket<T extends Entries = Record<string, unknown>, W extends Entries = T> {
  /** The name that the handle was made with. */
  readonly name: string;
  readonly #context: BucketContext;
  readonly #caller: Caller;
  readonly #one: OneKey;
  readonly #codec: Codec;
  readonly #firstWrite: FirstWrite;
  readonly #path: string;

  /** @internal Handles come from {@link Kv.bucket}. */
  constructor(context: BucketContext) {
    this.name = context.name;
    this.#context = context;
    this.#codec = context.codec;
    this.#firstWrite = context.firstWrite;
    this.#path = bucketPath(context.name);
    this.#caller = context.caller ?? new HttpCaller(context.http, this.#path);
    this.#one = new OneKey({
      keys: new HttpKeys(context.http, this.#path, context.codec),
      caller: this.#caller,
      codec: context.codec,
      firstWrite: context.firstWrite,
      inSession: context.caller !== undefined,
    });
  }

  /**
   * Reads a value. @returns undefined if the key does not exist @throws {@link DecodeError} if the codec can't decode it
   * @example
   * ```ts
   * console.log(await bucket.get("milk")); // undefined
   * ```
   */
  async get<K extends Key<T>>(key: K, options: CallOptions = {}): Promise<T[K] | undefined> {
    checkOptions("get", options);
    return (await (this.#one.entry(key, options) as Promise<Entry<T[K]> | undefined>))?.value;
  }

  /**
   * Reads a value with its etag, revision, type, expiry and metadata. @returns undefined if the key does not exist
   * @example
   * ```ts
   * await bucket.put("milk", 3, { metadata: { by: "Ann" } });
   * console.log((await bucket.entry("milk"))?.metadata); // { by: 'Ann' }
   * ```
   */
  async entry<K extends Key<T>>(key: K, options: CallOptions = {}): Promise<Entry<T[K]> | undefined> {
    checkOptions("entry", options);
    return this.#one.entry(key, options) as Promise<Entry<T[K]> | undefined>;
  }

  /**
   * Whether the key exists. The value is not transferred.
   * @example
   * ```ts
   * console.log(await bucket.has("milk")); // false
   * ```
   */
  async has(key: Key<T>, options: CallOptions = {}): Promise<boolean> {
    checkOptions("has", options);
    return this.#one.has(key, options);
  }

  /**
   * Stores a value and replaces the whole entry: a `ttl`, `metadata` or `type` of the old entry is not kept.
   * @throws {@link PreconditionFailedError} if `ifMatch` or `ifNoneMatch` does not hold
   * @throws {@link TooLargeError} if the value is over the service's limit
   * @throws {@link InvalidRequestError} `value_invalid` if the codec refuses the value
   * @example
   * ```ts
   * const { created, revision } = await bucket.put("milk", 3, { ttl: 60, ifNoneMatch: "*" });
   * console.log(created, revision); // true 1
   * ```
   */
  async put<K extends Key<T>>(
    key: K,
    value: W[K & keyof W],
    options: Properties & Conditions & CallOptions = {},
  ): Promise<Written> {
    checkOptions("put", options);
    return this.#one.put(key, value, withDefaultTtl(options, this.#context.ttl));
  }

  /**
   * Deletes a key. @returns whether it existed @throws {@link PreconditionFailedError} if `ifMatch` does not hold
   * @example
   * ```ts
   * console.log(await bucket.delete("milk")); // false
   * ```
   */
  async delete(key: Key<T>, options: Conditions & CallOptions = {}): Promise<boolean> {
    checkOptions("delete", options);
    return this.#one.delete(key, options);
  }

  /**
   * Reads a value and deletes its key, atomically: of many callers at once, one gets the value. If the connection breaks,
   * the value may be deleted: the error's `outcomeUnknown` is true.
   * @returns undefined if the key does not exist
   * @throws {@link PreconditionFailedError} if `ifMatch` or `ifNoneMatch` does not hold
   * @throws {@link DecodeError} if the codec can't decode the value, which is deleted: `details.deleted` has it
   * @example
   * ```ts
   * await bucket.put("code", 1234);
   * console.log(await bucket.getAndDelete("code"), await bucket.has("code")); // 1234 false
   * ```
   */
  async getAndDelete<K extends Key<T>>(
    key: K,
    options: Conditions & CallOptions = {},
  ): Promise<T[K] | undefined> {
    checkOptions("getAndDelete", options);
    return (await (this.#one.getAndDelete(key, options) as Promise<Entry<T[K]> | undefined>))?.value;
  }

  /**
   * As {@link getAndDelete}, with what is stored beside the value.
   * @example
   * ```ts
   * console.log(await bucket.getAndDeleteEntry("nothing")); // undefined
   * ```
   */
  async getAndDeleteEntry<K extends Key<T>>(
    key: K,
    options: Conditions & CallOptions = {},
  ): Promise<Entry<T[K]> | undefined> {
    checkOptions("getAndDeleteEntry", options);
    return this.#one.getAndDelete(key, options) as Promise<Entry<T[K]> | undefined>;
  }

  /**
   * Adds to a counter, atomically; by 1 and from 0 unless the options say otherwise.
   * @throws {@link NotAnIntegerError} if the value is not an integer
   * @throws {@link IncrementOverflowError} if the sum does not fit into 64 bits
   * @example
   * ```ts
   * console.log((await bucket.increment("visits", { by: 2 })).value); // 2
   * ```
   */
  async increment(
    key: Key<T>,
    options: IncrementOptions & Conditions & OnceOptions & CallOptions = {},
  ): Promise<Incremented> {
    checkOptions("increment", options);
    return this.#one.increment(key, withDefaultTtl(options, this.#context.ttl));
  }

  /**
   * Reads a value, computes a new one with `change`, and stores it if the key has not changed meanwhile. Otherwise it
   * starts again, up to 100 times, so `change` may be called more than once. As with {@link put}, `ttl` and `metadata`
   * of the old entry are not kept.
   * @param change gets undefined if the key does not exist; returns undefined to leave the key as it is
   * @returns the stored value; undefined if nothing was stored
   * @throws {@link PreconditionFailedError} if other writers were faster every time
   * @example
   * ```ts
   * console.log(await bucket.update("list", (items = []) => [...items, "milk"])); // [ 'milk' ]
   * ```
   */
  async update<K extends Key<T>>(
    key: K,
    change: (value: T[K] | undefined) => W[K & keyof W] | undefined | Promise<W[K & keyof W] | undefined>,
    options: Properties & CallOptions = {},
  ): Promise<W[K & keyof W] | undefined> {
    checkOptions("update", options);
    if (typeof change !== "function") throw invalidRequest("options_invalid", "update takes a function.");
    const entry = (call: CallOptions) => this.entry(key, call);
    const put = (value: W[K & keyof W], call: Properties) => this.put(key, value, call);
    return update({ entry, put }, change, options, this.#context.http.retryBaseMs);
  }

  /**
   * Entries in the byte order of their keys, read in pages of up to 1,000. A write between two pages never causes
   * another entry to be skipped or repeated.
   * @throws {@link InvalidRequestError} `bucket_changed` if the bucket was replaced by another one between two pages
   * @throws {@link DecodeError} `details.cursor` continues the list after the entry that could not be decoded
   * @example
   * ```ts
   * await bucket.put("user/ann", 1);
   * for await (const { key, value } of bucket.list({ values: true })) console.log(key, value); // user/ann 1
   * ```
   */
  async *list(options: ListOptions = {}): AsyncGenerator<Entry<T[Key<T>]>, void, void> {
    checkOptions("list", options);
    yield* pages<Entry<T[Key<T>]>>(options, this.#caller, this.#codec, this.#firstWrite);
  }

  /**
   * Deletes all keys of a range. @returns how many keys were deleted
   * @example
   * ```ts
   * console.log(await bucket.deleteRange({ prefix: "user/" })); // 0
   * ```
   */
  async deleteRange(range: Range, options: CallOptions = {}): Promise<number> {
    checkMembers(range, RANGE, "deleteRange's range");
    checkOptions("deleteRange", options);
    const request: HttpRequest = { method: "DELETE", query: { ...range }, ...options, repeatable: false };
    const run = () => this.#context.http.ask(`${this.#path}/keys`, request, deletedOf);
    return (await this.#firstWrite.reading(run, { deleted: 0 })).deleted;
  }

  /**
   * Runs many operations in one round trip. They are independent: a failed one has a {@link KvError} as its result, and
   * the others are still run.
   * @returns one result per operation, in order
   * @example
   * ```ts
   * const [first] = await bucket.batch([{ op: "get", key: "milk" }, { op: "put", key: "eggs", value: 6 }]);
   * console.log(first); // { op: 'get', found: false, key: 'milk' }
   * ```
   */
  async batch(
    operations: readonly Operation<W>[],
    options: CallOptions = {},
  ): Promise<(Result<T[Key<T>]> | KvError)[]> {
    checkOptions("batch", options);
    const sent = operationsToJson(allWithDefaultTtl(operations, this.#context.ttl), this.#codec);
    const run = (call: CallOptions) => this.#caller.batch(sent, call);
    const json = isEmptyWithoutBucket(sent)
      ? await this.#firstWrite.reading(() => run(options), resultsWithoutBucket(sent))
      : await this.#firstWrite.creating(run, options);
    return resultsOf(json, sent.length, this.#codec) as (Result<T[Key<T>]> | KvError)[];
  }

  /**
   * Compares, then runs `then` or `else`. All operations of that list are applied, or none if one of them fails.
   * @throws {@link KvError} the error of the operation that failed
   * @example
   * ```ts
   * const { succeeded } = await bucket.transaction({
   *   if: [{ key: "milk", integer: 0, is: ">" }],
   *   then: [{ op: "increment", key: "milk", by: -1 }],
   * });
   * console.log(succeeded); // false
   * ```
   */
  async transaction(
    transaction: Transaction<W>,
    options: OnceOptions & CallOptions = {},
  ): Promise<TransactionResult<T[Key<T>]>> {
    checkOptions("transaction", options);
    const sent = transactionToJson(transaction, this.#codec, this.#context.ttl);
    const run = (call: CallOptions) => this.#caller.transact(sent, { ...options, ...call });
    const json = await this.#firstWrite.creating(run, options);
    const { succeeded } = checkShape<{ readonly succeeded: boolean }>(json, { succeeded: "boolean" });
    const asked = (succeeded ? transaction.then : transaction.else) ?? [];
    const results = resultsOf(json, asked.length, this.#codec);
    return { succeeded, results: results as TransactionResult<T[Key<T>]>["results"] };
  }

  /**
   * Changes as they happen: each exactly once and in order. After a lost connection it reconnects and resumes by itself.
   * @throws {@link BucketDownError} when the bucket ends
   * @throws {@link RevisionCompactedError} when the change log no longer holds the position to resume from
   * @example
   * ```ts
   * await bucket.put("milk", 3);
   * for await (const change of bucket.watch({ since: 0 })) {
   *   console.log(change.event, "value" in change && change.value); // put 3
   *   break;
   * }
   * ```
   */
  watch(options: WatchOptions = {}): AsyncGenerator<Change<T[Key<T>]>, void, void> {
    checkOptions("watch", options);
    const { http } = this.#context;
    return watch(http, this.#path, options, this.#codec, this.#firstWrite) as AsyncGenerator<
      Change<T[Key<T>]>,
      void,
      void
    >;
  }

  /**
   * All entries as NDJSON, one per line. If the connection breaks, the stream fails with a `ConnectionError`.
   * @example
   * ```ts
   * await bucket.put("milk", 3);
   * console.log(JSON.parse(await new Response(await bucket.export()).text()).key); // milk
   * ```
   */
  async export(options: ExportOptions = {}): Promise<ReadableStream<Uint8Array>> {
    return exportEntries(this.#context, this.#path, options);
  }

  /**
   * Imports the lines of an export. Importing the same lines again changes nothing. A stream that is not read to its
   * end is cancelled. More than `partBytes` (32 MiB) is sent in several requests; line numbers are those of all lines.
   * @throws {@link ImportStoppedError} at the first invalid line, unless `onError` is `continue`
   * @throws {@link InvalidRequestError} `bucket_changed` if the bucket was replaced by another one between two requests
   * @example
   * ```ts
   * const { imported } = await bucket.import('{"key":"milk","json":3}\n{"key":"eggs","json":6}\n');
   * console.log(imported, await bucket.get("eggs")); // 2 6
   * ```
   */
  async import(
    lines: ReadableStream<Uint8Array> | string,
    options: ImportOptions = {},
  ): Promise<ImportResult> {
    return importEntries(this.#context, this.#path, lines, options);
  }

  /**
   * The same bucket over a WebSocket: calls made in one turn of the event loop are sent together and run in order. Some
   * calls still use HTTP, in no particular order with them: values over 1 MiB, `has`, `deleteRange`, an increment with
   * an idempotency key, `export`, `import` and `watch`.
   * @example
   * ```ts
   * using session = bucket.session();
   * const [, eggs] = await Promise.all([session.bucket.put("eggs", 6), session.bucket.get("eggs")]);
   * console.log(eggs); // 6
   * ```
   */
  session(options: Readonly<Record<string, never>> = {}): Session<T, W> {
    checkOptions("session", options);
    const { http, session } = this.#context;
    return new BucketSession(
      (caller) => new Bucket<T, W>({ ...this.#context, caller }),
      this.#firstWrite,
      // No retries here: the session itself retries.
      () => http.ask(this.#path, { repeatable: false }, async (response) => response.body?.cancel()),
      http.address(`${this.#path}/session`),
      http.token,
      session,
    );
  }
}

/** A bucket over a connection of its own, as {@link Bucket.session} returns it. */
export type Session<T extends Entries, W extends Entries = T> = BucketSession<Bucket<T, W>>;
/**
 * The class of sessions. They come from {@link Bucket.session}.
 * @example
 * ```ts
 * using session = bucket.session();
 * console.log(session instanceof Session); // true
 * ```
 */
export const Session = BucketSession;
