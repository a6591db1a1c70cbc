/**
 * The bucket handle: the one place that knows how to do something to the bucket of a name. It finds the bucket, sends large
 * values in chunks, repeats reads when a connection breaks, and turns "no such bucket" into an error. Every door is a thin
 * translation to and from it.
 */

import type { Written } from "../contract/entries.ts";
import type { Conditions } from "../model/conditions.ts";
import type { EntryInfo, Increment, ListQuery } from "../model/entry.ts";
import { KvError } from "../model/errors.ts";
import type { Once } from "../model/idempotency.ts";
import type { KeyRange } from "../model/key-range.ts";
import { isLarge, type LargeValue } from "../model/large-value.ts";
import { MAX_PAGE } from "../model/limits.ts";
import { areReads, isRead, type Operation, type Transaction } from "../model/operation.ts";
import type { Found } from "../model/outcome.ts";
import type { Restored, RestoredEntry } from "../model/restored.ts";
import type { Value } from "../model/value.ts";
import type { WatchRequest } from "../model/watch.ts";
import { isExit, Refusal, type Reply } from "../otp/exit.ts";
import type { Idempotency } from "../model/idempotency.ts";
import type { BucketStub, EntriesPage, IncrementOptions, JsonText, PutOptions } from "../rpc/bucket-rpc.ts";
import { upgraded } from "../rpc/partition-stub.ts";
import { isReadCommand, type Answer, type BucketCommand } from "../text/command.ts";
import type { Body } from "./body.ts";
import { deleteRange } from "./delete-range.ts";
import { READ, type Ask, type AskOptions, type Directory } from "./directory.ts";
import { exportEntries, type ExportedEntry } from "./export.ts";
import { StoredValue, type Read } from "./stored-value.ts";
import { Transfer } from "./transfer.ts";

/** How often a bucket that is being reset is asked whether it is back. */
const RESET_TRIES = 5;

export interface HandleOptions {
  /** The error for a bucket that is not there; it should say how to create one. */
  readonly missing?: (name: string) => KvError;
  /** For calls of one bucket, and never of its successor; see {@link BucketHandle.pinned}. */
  readonly ask?: Ask;
}

/**
 * The bucket of a name; it need not be there. Every method throws `bucket_not_found` if it is not, and otherwise as the
 * bucket's own method does: a {@link Refusal} with a stable code, after which nothing was changed, or an `Exit`, after which
 * the outcome of a write is unknown.
 *
 * ```ts
 * const { created, etag } = await new BucketHandle(directory, "shopping").put("milk", "1");
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
   * A handle on the bucket that has the name at its first call, and never on its successor: for what takes several calls
   * and would otherwise be half of one bucket and half of another (OTP's `whereis`: a pid, not a name).
   */
  pinned(): BucketHandle {
    return new BucketHandle(this.#directory, this.name, { missing: this.#missing, ask: this.#pin() });
  }

  /** Ensures that there is a bucket of this name. */
  async create(): Promise<void> {
    await this.#directory.create(this.name);
  }

  /** An entry with its value. @throws `precondition_failed` for `ifMatch` */
  async get(key: string, conditions: Conditions = {}): Promise<Read> {
    // The chunks of a large value are asked of the bucket that has told of it.
    const ask = this.#pin();
    const found = await ask((bucket) => bucket.get(key, conditions), READ);
    if (found.outcome !== "found") return found;
    const { entry, etag } = found;
    return { outcome: "found", entry, etag, value: new StoredValue(entry, this.#transfer(ask)) };
  }

  /** As {@link get}, without the value: it does not leave the bucket. */
  info(key: string, conditions: Conditions = {}): Promise<Found<EntryInfo>> {
    return this.#ask((bucket) => bucket.info(key, conditions), READ);
  }

  /**
   * Takes a value of any size in. What is large is on the bucket's disk when this returns, and is forgotten unless it is soon
   * {@link put}.
   * @throws `value_too_large`, `upload_lost`
   */
  async take(value: Value | Body): Promise<Value | LargeValue> {
    if (typeof value === "string" || value instanceof ArrayBuffer) return value;
    return this.#transfer().take(value);
  }

  /**
   * Stores a value of up to 25 MiB; what is not given again of its properties is gone.
   * @throws `precondition_failed`, `expires_invalid`, and as {@link take} does
   */
  async put(key: string, value: Value | LargeValue | Body, options: PutOptions = {}): Promise<Written> {
    const taken = isTaken(value) ? value : await this.take(value);
    try {
      return await this.#ask((bucket) => bucket.put(key, taken, options));
    } catch (error) {
      if (isLarge(taken)) this.abandon(taken);
      throw error;
    }
  }

  /** Gives up a value that was taken and will not be put. */
  abandon({ large }: LargeValue): void {
    this.#transfer().abandon(large);
  }

  /** @returns whether the key was there. @throws `precondition_failed` */
  delete(key: string, conditions: Conditions = {}): Promise<boolean> {
    return this.#ask((bucket) => bucket.remove(key, conditions));
  }

  /** Adds to a counter, atomically. @returns the text of an `Incremented` */
  increment(key: string, increment: Increment, options: IncrementOptions = {}): Promise<Once<JsonText>> {
    return this.#ask((bucket) => bucket.increment(key, increment, options));
  }

  /** A page of entries. @returns the text of a `KeysPage` */
  list(query: ListQuery): Promise<JsonText> {
    return this.#ask((bucket) => bucket.list(query), READ);
  }

  /** A page of entries, as data. */
  entries(query: ListQuery): Promise<EntriesPage> {
    return this.#ask((bucket) => bucket.entries(query), READ);
  }

  /** All entries of a range, of one bucket, page by page. The first page is asked for when it is consumed. */
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

  /** All entries of a range with their values, of one bucket, in groups. */
  export(range: KeyRange): AsyncGenerator<readonly ExportedEntry[], void, void> {
    return exportEntries(this.pinned(), range);
  }

  /** Brings entries of an export back, up to the first that can't be, if `stop` is set. */
  restore(
    entries: readonly RestoredEntry[],
    options: { readonly stop: boolean },
  ): Promise<readonly Restored[]> {
    return this.#ask((bucket) => bucket.restore(entries, options));
  }

  /** Deletes the keys of a range in parts of one transaction each. @returns how many there were */
  deleteRange(range: KeyRange): Promise<number> {
    return deleteRange(this.#pin(), range);
  }

  /** Many operations, each by itself. @returns the text of `BatchResults` */
  batch(operations: readonly Operation[]): Promise<JsonText> {
    return this.#ask((bucket) => bucket.batch(operations), areReads(operations) ? READ : undefined);
  }

  /** All or nothing. @returns the text of `TransactionResults` */
  transact(transaction: Transaction, idempotency?: Idempotency): Promise<Once<JsonText>> {
    const repeatable = idempotency === undefined && isRead(transaction);
    return this.#ask((bucket) => bucket.transact(transaction, idempotency), repeatable ? READ : undefined);
  }

  /** Commands of the text protocol, in one transaction; may answer only the first ones. */
  run(commands: readonly BucketCommand[]): Promise<readonly Answer[]> {
    return this.#ask((bucket) => bucket.run(commands), commands.every(isReadCommand) ? READ : undefined);
  }

  /** A feed of changes: a WebSocket, not yet accepted. @throws `revision_compacted` */
  watch(request: WatchRequest): Promise<WebSocket> {
    return this.#upgrade(`/watch?request=${encodeURIComponent(JSON.stringify(request))}`);
  }

  /** Another WebSocket of the bucket's: the text protocol, a session of requests in JSON, or a feed of the text protocol. */
  connect(to: "/connect" | "/session" | "/subscribe"): Promise<WebSocket> {
    return this.#upgrade(to);
  }

  /** @throws if there is no such bucket */
  async check(): Promise<void> {
    await this.#ask((bucket) => bucket.totals(), READ);
  }

  /**
   * Sends an exit signal. When this returns, the end is history: a temporary bucket is gone from every lookup, and a
   * permanent one is back.
   */
  async exit(reason: string): Promise<void> {
    const said = await this.#ask((bucket) => bucket.exit(reason));
    if (said === "exited") await this.#back();
  }

  /** Waits until a bucket that is being reset answers again, or is known not to. */
  async #back(): Promise<void> {
    for (let tries = 0; tries < RESET_TRIES; tries += 1) {
      try {
        await this.#ask((bucket) => bucket.probe());
        return;
      } catch (error) {
        // The probe may have met the object just before its reset; after any other answer the bucket is back, or gone.
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

  #orMissing(
    call: <T>(
      request: (bucket: BucketStub) => Promise<Reply<T>>,
      options?: AskOptions,
    ) => Promise<{ readonly reply: T } | undefined>,
  ): Ask {
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

/** Whether it says that there is no such bucket. */
export function isNoBucket(error: unknown): boolean {
  return error instanceof Refusal && error.code === "bucket_not_found";
}

function noBucket(name: string): KvError {
  return new KvError("bucket_not_found", `There is no bucket ${name}. Create it first.`);
}

function isTaken(value: Value | LargeValue | Body): value is Value | LargeValue {
  return typeof value === "string" || value instanceof ArrayBuffer || "large" in value;
}
