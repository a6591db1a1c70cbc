/**
 * The bucket handle: all calls to the bucket of a name. It finds the bucket, sends large values in chunks, repeats reads
 * when a connection breaks, and turns "no such bucket" into an error. HTTP, the text protocol and the binding are thin
 * translations to it.
 */

import type { BucketJson } from "../contract/buckets.ts";
import type { Written } from "../contract/entries.ts";
import type { Conditions } from "../model/conditions.ts";
import type { EntryInfo, Increment, ListQuery } from "../model/entry.ts";
import { KvError } from "../model/errors.ts";
import type { Replayable } from "../model/idempotency.ts";
import type { KeyRange } from "../model/key-range.ts";
import { isLarge, type LargeValue } from "../model/large-value.ts";
import { MAX_PAGE } from "../model/limits.ts";
import { areReads, isRead, type Operation, type Transaction } from "../model/operation.ts";
import type { Found } from "../model/outcome.ts";
import type { Restored, RestoredEntry } from "../model/restored.ts";
import type { Value } from "../model/value.ts";
import type { WatchRequest } from "../model/watch.ts";
import { isExit, isRefusal, type Reply } from "../otp/exit.ts";
import type { Idempotency } from "../model/idempotency.ts";
import type { CreateOptions } from "../model/registration.ts";
import type { IncrementGuards, JsonText, PutOptions } from "../rpc/bucket-calls.ts";
import type { EntriesPage } from "../rpc/bucket-rpc.ts";
import { upgraded } from "../rpc/partition-stub.ts";
import { isReadCommand, type Answer, type BucketCommand } from "../text/command.ts";
import type { Body } from "./body.ts";
import { deleteRange } from "./delete-range.ts";
import { READ, together, type Ask, type AskIfAny, type Directory } from "./directory.ts";
import { describeBucket } from "./describe.ts";
import { exportEntries, type ExportedEntry } from "./export.ts";
import { StoredValue, type FoundRead, type Read } from "./stored-value.ts";
import { Transfer } from "./transfer.ts";
import { useAndDelete } from "./use-and-delete.ts";

/** Probes of a bucket that is being reset, until it answers again. */
const RESET_TRIES = 5;

export interface HandleOptions {
  /** The error for a missing bucket. It should say how to create one. */
  readonly missing?: (name: string) => KvError;
  /** Calls one bucket, never its successor; see {@link BucketHandle.pinned}. */
  readonly ask?: Ask;
}

/**
 * The bucket of a name. The bucket need not exist.
 *
 * Every method throws:
 * - `bucket_not_found` if there is no such bucket;
 * - a `Refusal` with a stable code: nothing was changed;
 * - an `Exit`: the call failed, and the outcome of a write is unknown.
 *
 * ```ts
 * const bucket = new BucketHandle(directory, "shopping");
 * await bucket.create();
 * const { created, etag } = await bucket.put("milk", "1");
 * const found = await bucket.get("milk");
 * if (found.outcome === "found") console.log(await found.value.read()); // "1"
 * ```
 */
export class BucketHandle {
  readonly name: string;
  readonly #directory: Directory;
  readonly #missing: (name: string) => KvError;
  readonly #ask: Ask;
  readonly #isPinned: boolean;

  constructor(directory: Directory, name: string, { missing = noBucket, ask }: HandleOptions = {}) {
    this.name = name;
    this.#directory = directory;
    this.#missing = missing;
    this.#isPinned = ask !== undefined;
    this.#ask = ask ?? this.#orMissing((request, options) => directory.call(name, request, options));
  }

  /**
   * A handle on the bucket that has the name at the first call, and never on its successor. Use it for work of several
   * calls, so that its result does not mix two buckets (as OTP's `whereis` gives a pid, not a name).
   */
  pinned(): BucketHandle {
    return new BucketHandle(this.#directory, this.name, { missing: this.#missing, ask: this.#pin() });
  }

  /** Ensures that the bucket exists. Safe to repeat. */
  async create(options?: CreateOptions): Promise<void> {
    await this.#directory.create(this.name, options);
  }

  /** Describes the bucket, with its current totals, or those of its last probe if it can't be reached. */
  async describe(): Promise<BucketJson> {
    const found = await describeBucket(this.#directory, this.name);
    if (found === undefined) throw this.#missing(this.name);
    return found;
  }

  /** Stops the bucket, reason `normal`: its data is deleted, and its name is free. */
  async stop(): Promise<void> {
    if (!(await this.#directory.stop(this.name))) throw this.#missing(this.name);
  }

  /** Reads an entry with its value. @throws `precondition_failed` for `ifMatch` */
  async get(key: string, conditions: Conditions = {}): Promise<Read> {
    // Pinned: the chunks of a large value must come from the bucket that returned the entry.
    const ask = this.#pin();
    const found = await ask(together("get", key, conditions), READ);
    if (found.outcome !== "found") return found;
    const { entry, etag } = found;
    return { outcome: "found", entry, etag, value: new StoredValue(entry, this.#transfer(ask)) };
  }

  /** Like {@link get}, without the value, which does not leave the bucket. */
  info(key: string, conditions: Conditions = {}): Promise<Found<EntryInfo>> {
    return this.#ask(together("info", key, conditions), READ);
  }

  /**
   * Uploads a value of any size, before its {@link put}. The chunks of a large value are on the bucket's disk when this
   * returns; the bucket removes them unless the value is put soon.
   * @throws `value_too_large`, `upload_lost`
   */
  async upload(value: Value | Body): Promise<Value | LargeValue> {
    if (typeof value === "string" || value instanceof ArrayBuffer) return value;
    return this.#transfer().upload(value);
  }

  /**
   * Stores a value of up to 25 MiB. It replaces the value and all properties of the entry.
   * @throws `precondition_failed`, `expires_invalid`, `value_too_large`, `upload_lost`
   */
  async put(key: string, value: Value | LargeValue | Body, options: PutOptions = {}): Promise<Written> {
    const taken = isUploaded(value) ? value : await this.upload(value);
    try {
      return await this.#ask(together("put", key, taken, options));
    } catch (error) {
      if (isLarge(taken)) this.abandon(taken);
      throw error;
    }
  }

  /** Discards a value that was taken and will not be put. */
  abandon({ large }: LargeValue): void {
    this.#transfer().abandon(large);
  }

  /** Deletes a key. @returns whether it existed @throws `precondition_failed` */
  delete(key: string, conditions: Conditions = {}): Promise<boolean> {
    return this.#ask(together("remove", key, conditions));
  }

  /**
   * Reads an entry and deletes it, in one step: of many callers, one gets the value. The chunks of a large value are kept
   * for this caller's stream, as those of a value that is replaced while it is read.
   * @param options.large whether a large value is refused instead, with `value_too_large`
   * @throws `precondition_failed`
   */
  async getAndDelete(
    key: string,
    conditions: Conditions = {},
    { large }: { readonly large?: "refuse" } = {},
  ): Promise<Read> {
    const lease = large === "refuse" ? undefined : crypto.randomUUID();
    const ask = this.#pin();
    const found = await ask(together("getAndDelete", key, conditions, lease));
    if (found.outcome !== "found") return found;
    const { entry, etag } = found;
    return { outcome: "found", entry, etag, value: new StoredValue(entry, this.#transfer(ask), lease) };
  }

  /**
   * As {@link getAndDelete}, in two steps: deletes the entry only after `use` has returned. If the key has changed
   * meanwhile, `use` is called again with the new entry.
   * @returns undefined if there is no such key
   */
  async useAndDelete<T>(
    key: string,
    conditions: Conditions,
    use: (found: FoundRead) => Promise<T>,
  ): Promise<T | undefined> {
    return useAndDelete(this, key, conditions, use);
  }

  /**
   * Adds to a counter, atomically. @returns the JSON text of an `Incremented`
   * @throws `precondition_failed`, `not_an_integer`, `increment_overflow`, `idempotency_key_reused`
   */
  increment(key: string, increment: Increment, options: IncrementGuards = {}): Promise<Replayable<JsonText>> {
    return this.#ask(together("increment", key, increment, options));
  }

  /** A page of entries. @returns the JSON text of a `KeysPage` @throws `bucket_changed` */
  list(query: ListQuery): Promise<JsonText> {
    return this.#ask((bucket) => bucket.list(query), READ);
  }

  /** A page of entries, as data. @throws `bucket_changed` */
  entries(query: ListQuery): Promise<EntriesPage> {
    return this.#ask((bucket) => bucket.entries(query), READ);
  }

  /** All entries of a range, page by page, from one bucket. Each page is read when it is consumed. */
  async *pages(range: Omit<ListQuery, "limit">): AsyncGenerator<EntriesPage, void, void> {
    const ask = this.#pin();
    for (let { after } = range; ;) {
      const query = { ...range, after, limit: MAX_PAGE };
      const page = await ask((bucket) => bucket.entries(query), READ);
      yield page;
      if (!page.more) return;
      after = page.entries.at(-1)?.key;
    }
  }

  /** All entries of a range with their values, in groups, from one bucket. */
  export(range: KeyRange): AsyncGenerator<readonly ExportedEntry[], void, void> {
    return exportEntries(this.pinned(), range);
  }

  /** Restores entries of an export. With `stop` it ends at the first entry that can't be restored. */
  restore(
    entries: readonly RestoredEntry[],
    options: { readonly stop: boolean },
  ): Promise<readonly Restored[]> {
    return this.#ask((bucket) => bucket.restore(entries, options));
  }

  /** Deletes all keys of a range, in several transactions. @returns how many keys were deleted */
  deleteRange(range: KeyRange): Promise<number> {
    return deleteRange(this.#pin(), range);
  }

  /** Runs many operations; a refused one does not affect the others. @returns the JSON text of `BatchResults` */
  batch(operations: readonly Operation[]): Promise<JsonText> {
    return this.#ask((bucket) => bucket.batch(operations), areReads(operations) ? READ : undefined);
  }

  /** Runs a transaction, all or nothing. @returns the JSON text of `TransactionResults` */
  transact(transaction: Transaction, idempotency?: Idempotency): Promise<Replayable<JsonText>> {
    const repeatable = idempotency === undefined && isRead(transaction);
    return this.#ask((bucket) => bucket.transact(transaction, idempotency), repeatable ? READ : undefined);
  }

  /**
   * Runs commands of the text protocol in one transaction.
   * @returns the replies of the first commands, at least one; the others were not run
   */
  run(commands: readonly BucketCommand[]): Promise<readonly Answer[]> {
    return this.#ask(together("run", commands), commands.every(isReadCommand) ? READ : undefined);
  }

  /** Opens a feed of changes. @returns a WebSocket, not yet accepted @throws `revision_compacted` */
  watch(request: WatchRequest): Promise<WebSocket> {
    return this.#upgrade(`/watch?request=${encodeURIComponent(JSON.stringify(request))}`);
  }

  /** Opens a WebSocket: the text protocol, a session of requests in JSON, or a feed of changes as text lines. */
  connect(to: "/connect" | "/session" | "/subscribe"): Promise<WebSocket> {
    return this.#upgrade(to);
  }

  /** Checks that the bucket exists. @returns which bucket it is @throws `bucket_not_found` */
  async check(): Promise<{ readonly incarnation: string }> {
    return this.#ask((bucket) => bucket.totals(), READ);
  }

  /**
   * Sends an exit signal, and waits for its effect: when this returns, no lookup finds a temporary bucket any more, and a
   * permanent bucket has restarted.
   */
  async exit(reason: string): Promise<void> {
    const said = await this.#ask((bucket) => bucket.exit(reason));
    if (said === "exited") await this.#restarted();
  }

  /** Waits until a bucket that is being reset answers again, or has ended. */
  async #restarted(): Promise<void> {
    for (let tries = 0; tries < RESET_TRIES; tries += 1) {
      try {
        await this.#ask((bucket) => bucket.probe());
        return;
      } catch (error) {
        // `noconnection`: the probe reached the object just before its reset, so try again. After any other error the
        // bucket has ended.
        if (!isExit(error, "noconnection")) return;
      }
    }
  }

  #upgrade(path: string): Promise<WebSocket> {
    return this.#ask(async (bucket): Promise<Reply<WebSocket>> => {
      const response = await bucket.fetch(`http://bucket${path}`, { headers: { Upgrade: "websocket" } });
      return upgraded(response);
    }, READ);
  }

  #transfer(ask: Ask = this.#ask): Transfer {
    return new Transfer(ask, this.#directory.keepAlive);
  }

  #pin(): Ask {
    if (this.#isPinned) return this.#ask;
    return this.#orMissing(this.#directory.whereis(this.name));
  }

  #orMissing(call: AskIfAny): Ask {
    return async (request, options) => {
      const answer = await call(request, options);
      if (answer === undefined) throw this.#missing(this.name);
      return answer.reply;
    };
  }
}

/** The result; undefined if there is no such bucket. */
export async function orNoBucket<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (isNoBucket(error)) return undefined;
    throw error;
  }
}

/** Whether there was such a bucket: for calls without a result. */
export async function existed(done: Promise<void>): Promise<boolean> {
  return (await orNoBucket(done.then(() => true))) ?? false;
}

/** Whether a create was refused because the bucket exists with other options. */
export function existsDifferently(error: unknown): boolean {
  return isRefusal(error, "bucket_exists_differently");
}

/** Whether an error is `bucket_not_found`. */
export function isNoBucket(error: unknown): boolean {
  return isRefusal(error, "bucket_not_found");
}

/** Whether an error is `value_too_large`. */
export function isTooLarge(error: unknown): boolean {
  return isRefusal(error, "value_too_large");
}

function noBucket(name: string): KvError {
  return new KvError("bucket_not_found", `There is no bucket ${name}. Create it first.`);
}

function isUploaded(value: Value | LargeValue | Body): value is Value | LargeValue {
  return typeof value === "string" || value instanceof ArrayBuffer || "large" in value;
}
