/** A bucket's entries: a table, and what is known of it without a scan. Synchronous, one thread. */

import { BoundedCache } from "../lib/bounded-cache.ts";
import { KvError } from "../model/errors.ts";
import { byteLength } from "../lib/utf8.ts";
import { MAX_PAGE_BYTES } from "../model/limits.ts";
import { isLarge, type LargeValue } from "../model/large-value.ts";
import type { Clock } from "../otp/timers.ts";
import { textOf, type Value } from "../model/value.ts";
import { ChangeLog, type Change, type ChangeLogOptions } from "./change-log.ts";
import { greatest, least, rangeOf, type KeyRange } from "../model/key-range.ts";
import type { Entry, EntryInfo, Increment, ListPage, ListQuery, Listed, Properties } from "../model/entry.ts";
import { LargeValues } from "./large-values.ts";
import { expiry } from "../model/lifetime.ts";

export interface EntriesOptions {
  readonly clock: Clock;
  readonly log: ChangeLogOptions;
  /** Called once for each write that changed something, when it is done. */
  readonly changed?: (changes: readonly Change[]) => void;
}

/** Bytes of values that are kept in memory; an object has 128 MB in all. */
const CACHE_BYTES = 8 * 1_048_576;
/** What an entry costs beside its value, roughly. */
const CACHE_ENTRY_BYTES = 256;
/** A larger value is read from the storage each time. */
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
 * The entries of one bucket.
 *
 * Every change gets the bucket's next revision and a row in the {@link ChangeLog}, which also has the totals.
 * An entry whose time is over is not there, whether or not it has been removed yet.
 *
 * Entries used of late are kept in memory too. That can never be stale: this object alone writes the
 * storage, and a write that is undone empties the cache.
 */
export class Entries {
  readonly log: ChangeLog;
  readonly large: LargeValues;
  readonly #storage: Storage;
  readonly #sql: SqlStorage;
  readonly #clock: Clock;
  readonly #changed: (changes: readonly Change[]) => void;
  /** The time, while it stands still. */
  #time: number | undefined;
  readonly #recent = new BoundedCache<Entry>({
    limit: CACHE_BYTES,
    weigh: ({ size }) => size + CACHE_ENTRY_BYTES,
  });
  #changes: Change[] = [];

  constructor(storage: Storage, { clock, log, changed = () => undefined }: EntriesOptions) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#clock = clock;
    this.#changed = changed;
    this.log = new ChangeLog(storage.sql, log);
    this.large = new LargeValues(storage.sql);
  }

  /** Makes the tables of a new bucket. */
  createTables(): void {
    // `value` has no type, so that text is kept as text and bytes as bytes.
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
   * Runs changes as one: all of them are kept, or, if `change` throws, none.
   * Every call that changes something has to be inside one.
   */
  write<T>(change: () => T): T {
    this.#changes = [];
    let result: T;
    try {
      result = this.#atOneTime(() => this.#storage.transactionSync(change));
    } catch (error) {
      this.reset(); // the transaction is undone, so what memory holds is wrong
      throw error;
    }
    if (this.#changes.length > 0) this.#changed(this.#changes);
    return result;
  }

  /** Forgets what it knows of the storage; to be called when that is wiped. */
  reset(): void {
    this.log.reset();
    this.#recent.clear();
    this.#changes = [];
  }

  get(key: string): Entry | undefined {
    const entry = this.#recent.get(key) ?? this.#read(key);
    return entry !== undefined && this.#lives(entry) ? entry : undefined;
  }

  info(key: string): EntryInfo | undefined {
    const info = this.#info(key);
    return info !== undefined && this.#lives(info) ? info : undefined;
  }

  /**
   * Stores a value under the bucket's next revision. What the key had before is gone, its lifetime too.
   * @throws {KvError} `expires_invalid`; `upload_lost` for a large value that is not there
   */
  put(
    key: string,
    value: Value | LargeValue,
    { type = null, metadata = null, lifetime }: Properties = {},
  ): { readonly revision: number; readonly created: boolean } {
    return this.#store(key, value, { type, metadata, expires: expiry(lifetime, this.#now()) });
  }

  /** Removes a key. @returns whether it was there. Only then is there a new revision. */
  remove(key: string): boolean {
    const before = this.#current(key);
    if (before === undefined) return false;
    this.#remove(key, before, "delete");
    return true;
  }

  /**
   * Adds to a decimal integer of 64 bits. Keeps the content type, the metadata and the lifetime.
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

  /** Entries in the order of their keys' bytes, or the other way round. */
  list(query: ListQuery): ListPage {
    return this.#atOneTime(() => this.#list(query));
  }

  #list({ values = false, limit, ...query }: ListQuery): ListPage {
    // Every statement is read to its end: one that is not keeps its table locked until it is collected, and a
    // bucket that ends could not drop it. So values, which may be large, are read when it is known how many.
    const found = this.#select<InfoColumns>(INFO_COLUMNS, query, limit + 1).map(listed);
    let bytes = 0;
    let count = 0;
    while (count < Math.min(found.length, limit) && bytes <= MAX_PAGE_BYTES) {
      const { key, metadata, size, large } = found[count] as Listed;
      bytes += key.length + (metadata?.length ?? 0) + (values && large === null ? size : 0);
      count += 1;
    }
    const page = { entries: found.slice(0, count), more: count < found.length };
    if (!values) return page;
    const kept = this.#select<[Value]>("value", query, count);
    const entries = page.entries.map((entry, index) => {
      const value = kept[index]?.[0];
      return entry.large === null && value !== undefined ? { ...entry, value } : entry;
    });
    return { ...page, entries };
  }

  /** Removes keys of a range, the first ones, as many as `limit`. @returns how many, and whether there are more. */
  removeRange(range: KeyRange, limit: number): { readonly removed: number; readonly more: boolean } {
    const { entries, more } = this.list({ ...range, limit });
    for (const { key, ...info } of entries) this.#remove(key, info, "delete");
    return { removed: entries.length, more };
  }

  /** Removes entries whose time is over, the first ones, as many as `limit`. */
  expire(limit: number): void {
    const due = this.#sql.exec<Row<EntryInfo> & { key: string }>(
      `SELECT key, ${INFO} FROM entries WHERE expires <= ? ORDER BY expires LIMIT ?`,
      this.#now(),
      limit,
    );
    for (const { key, ...info } of due.toArray()) this.#remove(key, info, "expired");
  }

  /** When the next entry expires, in milliseconds since the epoch. */
  nextExpiry(): number | undefined {
    return (
      this.#sql
        .exec<{ next: number | null }>("SELECT min(expires) AS next FROM entries WHERE expires IS NOT NULL")
        .one().next ?? undefined
    );
  }

  /** What is there at its beginning is there to its end: on some platforms the clock goes on meanwhile. */
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

  /** Rows as arrays: to make an object of each costs more than to read it. */
  #select<Columns extends SqlStorageValue[]>(
    columns: string,
    query: Omit<ListQuery, "values" | "limit">,
    limit: number,
  ): Columns[] {
    const { after, reverse = false, ...range } = query;
    const { from, to } = rangeOf(range);
    // One bound on each side, not two: SQLite would begin at the first of them and read all keys up to the second.
    const [low, high] = reverse ? [from, least(to, after)] : [greatest(from, after), to];
    const rows = this.#sql.exec(
      `SELECT ${columns} FROM entries
         WHERE key >= ?1 AND key <> ?2 ${high === undefined ? "" : "AND key < ?3"}
           AND (expires IS NULL OR expires > ?4)
         ORDER BY key ${reverse ? "DESC" : ""} LIMIT ?5`,
      low,
      after ?? "",
      high ?? "",
      this.#now(),
      limit,
    );
    return Array.from(rows.raw<Columns>());
  }

  #read(key: string): Entry | undefined {
    const entry = this.#sql
      .exec<Row<Entry>>(`SELECT value, ${INFO} FROM entries WHERE key = ?`, key)
      .toArray()[0];
    if (entry !== undefined) this.#remember(key, entry);
    return entry;
  }

  #info(key: string): EntryInfo | undefined {
    return (
      this.#recent.get(key) ??
      this.#sql.exec<Row<EntryInfo>>(`SELECT ${INFO} FROM entries WHERE key = ?`, key).toArray()[0]
    );
  }

  /** What is there, before it is changed. One whose time is over is removed first, and watchers hear of that. */
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
    const before = this.#current(key);
    const at = this.#now();
    const inChunks = isLarge(value);
    if (inChunks) this.large.adopt(value);
    if (before !== undefined) this.#release(before, at);
    const size = inChunks ? value.size : sizeOf(value);
    const { revision } = this.#append(
      { kind: "put", at, key, value: inChunks ? null : value, size, type, metadata, expires },
      {
        entries: before === undefined ? 1 : 0,
        bytes: before === undefined ? byteLength(key) + size : size - before.size,
      },
    );
    const kept = inChunks ? "" : value;
    const large = inChunks ? value.large : null;
    this.#sql.exec(
      `INSERT OR REPLACE INTO entries (key, value, type, revision, expires, at, metadata, large, large_size)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      key,
      kept,
      type,
      revision,
      expires,
      at,
      metadata,
      large,
      inChunks ? size : null,
    );
    this.#remember(key, { value: kept, type, revision, size, expires, at, metadata, large });
    return { revision, created: before === undefined };
  }

  #remove(key: string, before: EntryInfo, kind: "delete" | "expired"): void {
    const at = this.#now();
    this.#sql.exec("DELETE FROM entries WHERE key = ?", key);
    this.#recent.delete(key);
    this.#release(before, at);
    this.#append(
      { kind, at, key, value: null, size: 0, type: null, metadata: null, expires: null },
      { entries: -1, bytes: -byteLength(key) - before.size },
    );
  }

  #release({ large, size }: EntryInfo, now: number): void {
    if (large !== null) this.large.release({ large, size }, now);
  }

  #append(change: Omit<Change, "revision">, difference: Parameters<ChangeLog["append"]>[1]): Change {
    const logged = this.log.append(change, difference);
    this.#changes.push(logged);
    return logged;
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

/** The decimal integer that the value is; undefined if it is none. */
export function integerOf({ value, large }: Entry): bigint | undefined {
  const text = large === null ? textOf(value) : undefined;
  // At most twenty characters: enough for 64 bits, and no work for a value of a megabyte.
  return text !== undefined && text.length <= 20 && /^[+-]?\d+$/.test(text) ? BigInt(text) : undefined;
}
