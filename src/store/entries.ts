/** A bucket's entries: the table, its cache, and the change log that records each write. Synchronous, single-threaded. */

import { LIMIT } from "../lib/sql.ts";
import { BoundedCache } from "../lib/bounded-cache.ts";
import { KvError } from "../model/errors.ts";
import { byteLength } from "../lib/utf8.ts";
import { MAX_PAGE_BYTES } from "../model/limits.ts";
import { isLarge, type LargeValue } from "../model/large-value.ts";
import type { Clock } from "../otp/timers.ts";
import { textOf, type Value } from "../model/value.ts";
import type { Change } from "../model/change.ts";
import { ChangeLog, type ChangeLogOptions } from "./change-log.ts";
import type { KeyRange } from "../model/key-range.ts";
import type { Entry, EntryInfo, Increment, ListPage, ListQuery, Listed, Properties } from "../model/entry.ts";
import { LargeValues } from "./large-values.ts";
import { draftPage } from "./page-draft.ts";
import type { PageDraft } from "../model/page-draft.ts";
import { rangeRows } from "./range-rows.ts";
import { mayWait, WaitingRows } from "./waiting-rows.ts";
import { Refusal } from "../otp/exit.ts";
import { expiry } from "../model/lifetime.ts";

export interface EntriesOptions {
  readonly clock: Clock;
  readonly log: ChangeLogOptions;
  /** Called once after each write that changed something. */
  readonly changed?: (changes: readonly Change[]) => void;
}

/** Expired entries that are removed in one turn. All other requests wait until the turn ends. */
const REMOVE_AT_ONCE = 500;
/** Bytes of entries that the cache holds; the platform gives an object 128 MB in all. */
const CACHE_BYTES = 8 * 1_048_576;
/** Approximate bytes of a cached entry beside its value. */
const CACHE_ENTRY_BYTES = 256;
/** Bytes of the largest value that is cached. Larger values are read from the storage each time. */
const CACHE_MAX_VALUE_BYTES = 65_536;

const MIN_INTEGER = -(2n ** 63n);
const MAX_INTEGER = 2n ** 63n - 1n;

type Storage = Pick<DurableObjectStorage, "sql" | "transactionSync">;
type Row<T> = { [Column in keyof T]: T[Column] };

const INFO_COLUMNS =
  "key, revision, type, expires, at, metadata, large, coalesce(large_size, octet_length(value))";
type InfoColumns = [
  key: string,
  revision: number,
  type: string | null,
  expires: number | null,
  at: number,
  metadata: string | null,
  large: string | null,
  size: number,
];
const INFO =
  "revision, type, expires, at, metadata, large, coalesce(large_size, octet_length(value)) AS size";

/**
 * The entries of one bucket. Every change gets the bucket's next revision and is in the {@link ChangeLog}, which also has
 * the totals. Reads treat an expired entry as missing, even before it is removed.
 *
 * Recently used entries are cached in memory. The cache is never stale: only this object writes the storage, and a
 * rolled-back write clears the cache.
 */
export class Entries {
  readonly log: ChangeLog;
  readonly large: LargeValues;
  readonly #storage: Storage;
  readonly #sql: SqlStorage;
  readonly #waiting: WaitingRows;
  readonly #clock: Clock;
  readonly #changed: (changes: readonly Change[]) => void;
  /** The fixed time of the current write or list; undefined outside of one. */
  #time: number | undefined;
  readonly #recent = new BoundedCache<Entry>({
    limit: CACHE_BYTES,
    weigh: ({ size }) => size + CACHE_ENTRY_BYTES,
  });
  #changes: Change[] = [];

  constructor(storage: Storage, { clock, log, changed = () => undefined }: EntriesOptions) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#waiting = new WaitingRows(storage.sql);
    this.#clock = clock;
    this.#changed = changed;
    this.log = new ChangeLog(storage.sql, log);
    this.large = new LargeValues(storage.sql);
  }

  /** Creates the tables of a new bucket. */
  createTables(): void {
    // `value` has no declared type, so SQLite stores text as text and bytes as bytes.
    this.#sql.exec(
      `CREATE TABLE entries (
         key TEXT PRIMARY KEY, value NOT NULL, type TEXT, revision INTEGER NOT NULL, expires INTEGER,
         at INTEGER NOT NULL DEFAULT 0, metadata TEXT, large TEXT, large_size INTEGER
       ) WITHOUT ROWID`,
    );
    this.#sql.exec("CREATE INDEX expiries ON entries (expires) WHERE expires IS NOT NULL");
    this.log.createTable();
    this.large.createTables();
  }

  /**
   * Runs changes as one transaction: all are stored, or none if `change` throws.
   * Every method that changes something must be called inside `change`.
   */
  write<T>(change: () => T): T {
    this.#changes = [];
    let result: T;
    try {
      result = this.#atOneTime(() =>
        this.#storage.transactionSync(() => {
          const changed = change();
          this.#waiting.flush();
          this.log.write(this.#changes);
          return changed;
        }),
      );
    } catch (error) {
      // After a rollback the caches are wrong, unless it was refused before it had changed anything: compare-and-set loops
      // often are.
      if (!(error instanceof Refusal) || this.#changes.length > 0) this.reset();
      throw error;
    }
    if (this.#changes.length > 0) this.#changed(this.#changes);
    return result;
  }

  /** Runs reads, all at one time: no entry expires between them. */
  read<T>(work: () => T): T {
    return this.#atOneTime(work);
  }

  /** Clears the caches. Call it after the storage was wiped, or a transaction was rolled back. */
  reset(): void {
    this.log.reset();
    this.#recent.clear();
    this.#waiting.clear();
    this.#changes = [];
  }

  /** The entry with its value; undefined if the key is missing. */
  get(key: string): Entry | undefined {
    const entry = this.#recent.get(key) ?? this.#read(key);
    return entry !== undefined && this.#lives(entry) ? entry : undefined;
  }

  /** The entry without its value; undefined if the key is missing. */
  info(key: string): EntryInfo | undefined {
    const info = this.#info(key);
    return info !== undefined && this.#lives(info) ? info : undefined;
  }

  /**
   * Stores a value with the bucket's next revision. It replaces the whole entry, including its lifetime.
   * @throws {KvError} `expires_invalid`; `upload_lost` if the chunks of a large value are missing
   */
  put(
    key: string,
    value: Value | LargeValue,
    { type = null, metadata = null, lifetime }: Properties = {},
  ): { readonly revision: number; readonly created: boolean } {
    return this.#store(key, value, { type, metadata, expires: expiry(lifetime, this.#now()) });
  }

  /** Removes a key. @returns whether the key existed; only then the revision increases */
  remove(key: string): boolean {
    const before = this.#current(key);
    if (before === undefined) return false;
    this.#remove(key, before, "delete");
    return true;
  }

  /** Begins a reader's lease on a large value, so that its chunks outlast its entry. */
  lease(large: string, lease: string): void {
    this.large.renewLease(large, this.#now(), lease);
  }

  /**
   * Adds to a decimal integer of 64 bits. An existing entry keeps its content type, metadata and lifetime.
   * @throws {KvError} `not_an_integer`, `increment_overflow`, `expires_invalid`
   */
  increment(
    key: string,
    { by, initial = 0n, lifetime }: Increment,
  ): { readonly value: bigint; readonly revision: number; readonly created: boolean } {
    const entry = this.get(key);
    const before = entry === undefined ? initial : integerOf(entry);
    if (before === undefined) {
      throw new KvError("not_an_integer", "The value is not a decimal integer. It is unchanged.");
    }
    const sum = before + by;
    if (sum < MIN_INTEGER || sum > MAX_INTEGER) {
      throw new KvError("increment_overflow", `The sum ${sum} does not fit 64 bits. The value is unchanged.`);
    }
    const properties = entry ?? {
      type: null,
      metadata: null,
      expires: expiry(lifetime, this.#now()),
    };
    return { value: sum, ...this.#store(key, sum.toString(), properties) };
  }

  /** One page of entries, in the order of their keys' bytes or reversed. Ends at {@link MAX_PAGE_BYTES}. */
  list(query: ListQuery): ListPage {
    return this.#atOneTime(() => this.#list(query));
  }

  /** The keys of a page, without anything else. */
  names(query: ListQuery): readonly string[] {
    return this.#atOneTime(() =>
      rangeRows<[string]>(this.#table, "key", { ...query, now: this.#now() }).map(([key]) => key),
    );
  }

  /** The page as JSON that SQLite writes; undefined if the page is large. See page-draft.ts. */
  draft(query: ListQuery, incarnation: string): PageDraft | undefined {
    return this.#atOneTime(() => draftPage(this.#table, query, { incarnation, now: this.#now() }));
  }

  #list({ values = false, limit, ...range }: ListQuery): ListPage {
    const query = { ...range, now: this.#now() };
    // Each statement must be read to its end: an unfinished one locks its table until it is garbage-collected, and a
    // bucket that ends could not drop the table. So the page's size is computed first, and the values are read after that.
    const found = rangeRows<InfoColumns>(this.#table, INFO_COLUMNS, { ...query, limit: limit + 1 }).map(
      listed,
    );
    let bytes = 0;
    let count = 0;
    while (count < Math.min(found.length, limit) && bytes <= MAX_PAGE_BYTES) {
      const { key, metadata, size, large } = found[count] as Listed;
      bytes += key.length + (metadata?.length ?? 0) + (values && large === null ? size : 0);
      count += 1;
    }
    const page = { entries: found.slice(0, count), more: count < found.length };
    if (!values) return page;
    const kept = rangeRows<[Value]>(this.#sql, "value", { ...query, limit: count });
    const entries = page.entries.map((entry, index) => {
      const value = kept[index]?.[0];
      return entry.large === null && value !== undefined ? { ...entry, value } : entry;
    });
    return { ...page, entries };
  }

  /** Removes the first `limit` keys of a range. @returns how many were removed, and whether more remain */
  removeRange(range: KeyRange, limit = REMOVE_AT_ONCE): { readonly removed: number; readonly more: boolean } {
    const { entries, more } = this.list({ ...range, limit });
    for (const { key, ...info } of entries) this.#remove(key, info, "delete");
    return { removed: entries.length, more };
  }

  /** Removes up to `limit` expired entries, those that expired first. */
  expire(limit = REMOVE_AT_ONCE): void {
    const due = this.#table.exec<Row<EntryInfo> & { key: string }>(
      `SELECT key, ${INFO} FROM entries WHERE expires <= ? ORDER BY expires ${LIMIT} ?`,
      this.#now(),
      limit,
    );
    for (const { key, ...info } of due.toArray()) this.#remove(key, info, "expired");
  }

  /** When the next entry expires, in milliseconds since the epoch; undefined if none will. */
  nextExpiry(): number | undefined {
    return (
      this.#table
        .exec<{ next: number | null }>("SELECT min(expires) AS next FROM entries WHERE expires IS NOT NULL")
        .one().next ?? undefined
    );
  }

  /** Fixes the time during `work`, so no entry expires within it: on some platforms the clock advances meanwhile. */
  #atOneTime<T>(work: () => T): T {
    const before = this.#time;
    this.#time ??= this.#clock();
    try {
      return work();
    } finally {
      this.#time = before;
    }
  }

  #now(): number {
    return this.#time ?? this.#clock();
  }

  /** For reads of more than one key. */
  get #table(): SqlStorage {
    this.#waiting.flush();
    return this.#sql;
  }

  #read(key: string): Entry | undefined {
    const entry =
      this.#waiting.get(key) ??
      this.#sql.exec<Row<Entry>>(`SELECT value, ${INFO} FROM entries WHERE key = ?`, key).toArray()[0];
    if (entry !== undefined) this.#remember(key, entry);
    return entry;
  }

  #info(key: string): EntryInfo | undefined {
    return (
      this.#recent.get(key) ??
      this.#waiting.get(key) ??
      this.#sql.exec<Row<EntryInfo>>(`SELECT ${INFO} FROM entries WHERE key = ?`, key).toArray()[0]
    );
  }

  /** The entry before a change. An expired one is removed first, so watchers receive `expired` before the change. */
  #current(key: string): EntryInfo | undefined {
    const info = this.#info(key);
    if (info === undefined || this.#lives(info)) return info;
    this.#remove(key, info, "expired");
    return undefined;
  }

  #lives({ expires }: EntryInfo): boolean {
    return expires === null || expires > this.#now();
  }

  #store(
    key: string,
    value: Value | LargeValue,
    { type, metadata, expires }: Pick<EntryInfo, "type" | "metadata" | "expires">,
  ): { readonly revision: number; readonly created: boolean } {
    if (this.#time === undefined)
      throw new Error("a put outside of a write: its row would wait for the next one");
    const before = this.#current(key);
    const at = this.#now();
    const inChunks = isLarge(value);
    if (inChunks) this.large.adopt(value);
    if (before !== undefined) this.#release(before, at);
    const size = inChunks ? value.size : sizeOf(value);
    const created = before === undefined;
    const revision = this.log.next(created ? 1 : 0, created ? byteLength(key) + size : size - before.size);
    const logged = inChunks ? null : value;
    this.#changes.push({ revision, kind: "put", at, key, value: logged, size, type, metadata, expires });
    const kept = inChunks ? "" : value;
    const large = inChunks ? value.large : null;
    const entry = { value: kept, type, revision, size, expires, at, metadata, large };
    if (mayWait(entry)) this.#waiting.put(key, entry);
    else {
      this.#waiting.drop(key);
      this.#sql.exec(
        `INSERT OR REPLACE INTO entries (key, value, type, revision, at, expires, metadata, large, large_size)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        key,
        kept,
        type,
        revision,
        at,
        expires,
        metadata,
        large,
        inChunks ? size : null,
      );
    }
    this.#remember(key, entry);
    return { revision, created };
  }

  #remove(key: string, before: EntryInfo, kind: "delete" | "expired"): void {
    const at = this.#now();
    this.#waiting.drop(key);
    this.#sql.exec("DELETE FROM entries WHERE key = ?", key);
    this.#recent.delete(key);
    this.#release(before, at);
    const revision = this.log.next(-1, -byteLength(key) - before.size);
    const nothing = { value: null, size: 0, type: null, metadata: null, expires: null };
    this.#changes.push({ revision, kind, at, key, ...nothing });
  }

  #release({ large, size }: EntryInfo, now: number): void {
    if (large !== null) this.large.release({ large, size }, now);
  }

  #remember(key: string, entry: Entry): void {
    if (entry.size <= CACHE_MAX_VALUE_BYTES) this.#recent.set(key, entry);
    else this.#recent.delete(key);
  }
}

function listed([key, revision, type, expires, at, metadata, large, size]: InfoColumns): Listed {
  return { key, revision, type, expires, at, metadata, large, size };
}

function sizeOf(value: Value): number {
  return typeof value === "string" ? byteLength(value) : value.byteLength;
}

/** The value as a decimal integer of up to 20 characters; undefined if it is not one. */
export function integerOf({ value, large }: Entry): bigint | undefined {
  const text = large === null ? textOf(value) : undefined;
  // Twenty characters are enough for 64 bits. The limit spares the work for a value of a megabyte.
  return text !== undefined && text.length <= 20 && /^[+-]?\d+$/.test(text) ? BigInt(text) : undefined;
}
