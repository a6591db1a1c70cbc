/** A bucket's tables: its entries, and what is known of them without a scan. Synchronous, one thread. */

import { BoundedCache } from "../bounded-cache.ts";
import { KvError } from "../errors.ts";
import { byteLength } from "../limits.ts";
import type { Totals } from "../totals.ts";
import { textOf, type Value } from "../value.ts";

/** An entry without its value. */
export interface EntryInfo {
  readonly revision: number;
  /** The content type; null is that of plain text, the text protocol's, which is too common to spell out. */
  readonly type: string | null;
  /** Bytes of the value. */
  readonly size: number;
}

export interface Entry extends EntryInfo {
  readonly value: Value;
}

export interface Page {
  readonly prefix: string;
  /** Only keys behind this one. */
  readonly after: string;
  readonly limit: number;
}

/** Bytes of values that are kept in memory; an object has 128 MB in all. */
const CACHE_BYTES = 8 * 1_048_576;
/** What an entry costs beside its value, roughly. */
const CACHE_ENTRY_BYTES = 256;
/** A larger value is read from the storage each time. */
const CACHE_MAX_VALUE_BYTES = 65_536;

const MIN_INTEGER = -(2n ** 63n);
const MAX_INTEGER = 2n ** 63n - 1n;

const SELECT_TOTALS = "SELECT entries, bytes, revision FROM totals";

type TotalsRow = { entries: number; bytes: number; revision: number };
type InfoRow = { revision: number; type: string | null; size: number };
type EntryRow = InfoRow & { value: Value };

/**
 * The entries of one bucket.
 *
 * The totals live in one row beside the entries. They are kept in memory and written back once for each
 * {@link write}, however many changes that makes: a batch of a hundred puts is a hundred and one rows
 * written, not two hundred.
 *
 * Entries used of late are kept in memory too. That can never be stale: this object alone writes the
 * storage, and a write that is undone empties the cache.
 */
export class Entries {
  readonly #storage: Pick<DurableObjectStorage, "sql" | "transactionSync">;
  readonly #sql: SqlStorage;
  readonly #recent = new BoundedCache<Entry>({
    limit: CACHE_BYTES,
    weigh: ({ size }) => size + CACHE_ENTRY_BYTES,
  });
  #totals: TotalsRow | undefined;

  constructor(storage: Pick<DurableObjectStorage, "sql" | "transactionSync">) {
    this.#storage = storage;
    this.#sql = storage.sql;
  }

  /** Makes the tables of a new bucket. */
  createTables(): void {
    // `value` has no type, so that text is kept as text and bytes as bytes.
    this.#sql.exec(
      `CREATE TABLE entries (
         key TEXT PRIMARY KEY, value NOT NULL, type TEXT, revision INTEGER NOT NULL
       ) WITHOUT ROWID`,
    );
    this.#sql.exec(
      "CREATE TABLE totals (entries INTEGER NOT NULL, bytes INTEGER NOT NULL, revision INTEGER NOT NULL)",
    );
    this.#sql.exec("INSERT INTO totals VALUES (0, 0, 0)");
  }

  /**
   * Runs changes as one: all of them are kept, or, if `change` throws, none.
   * Every call of `put`, `remove` and `increment` has to be inside one.
   */
  write<T>(change: () => T): T {
    try {
      return this.#storage.transactionSync(() => {
        const before = this.#load().revision;
        const result = change();
        const totals = this.#load();
        if (totals.revision !== before) {
          this.#sql.exec(
            "UPDATE totals SET entries = ?, bytes = ?, revision = ?",
            totals.entries,
            totals.bytes,
            totals.revision,
          );
        }
        return result;
      });
    } catch (error) {
      this.reset(); // the transaction is undone, so what memory holds is wrong
      throw error;
    }
  }

  /** Forgets what it knows of the storage; to be called when that is wiped. */
  reset(): void {
    this.#totals = undefined;
    this.#recent.clear();
  }

  totals(): Totals {
    return { ...this.#load() };
  }

  /** As {@link totals}, from the storage itself. */
  readTotals(): Totals {
    return this.#sql.exec<TotalsRow>(SELECT_TOTALS).one();
  }

  get(key: string): Entry | undefined {
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const entry = this.#sql
      .exec<EntryRow>(
        "SELECT value, type, revision, octet_length(value) AS size FROM entries WHERE key = ?",
        key,
      )
      .toArray()[0];
    if (entry !== undefined) this.#remember(key, entry);
    return entry;
  }

  info(key: string): EntryInfo | undefined {
    return (
      this.#recent.get(key) ??
      this.#sql
        .exec<InfoRow>("SELECT type, revision, octet_length(value) AS size FROM entries WHERE key = ?", key)
        .toArray()[0]
    );
  }

  /** Stores a value under the bucket's next revision. */
  put(
    key: string,
    value: Value,
    type: string | null,
  ): { readonly revision: number; readonly created: boolean } {
    const totals = this.#load();
    const before = this.info(key);
    const revision = totals.revision + 1;
    const size = typeof value === "string" ? byteLength(value) : value.byteLength;
    this.#sql.exec(
      "INSERT OR REPLACE INTO entries (key, value, type, revision) VALUES (?, ?, ?, ?)",
      key,
      value,
      type,
      revision,
    );
    this.#remember(key, { value, type, revision, size });
    totals.revision = revision;
    totals.entries += before === undefined ? 1 : 0;
    totals.bytes += before === undefined ? byteLength(key) + size : size - before.size;
    return { revision, created: before === undefined };
  }

  /** Removes a key. @returns whether it was there. Only then is there a new revision. */
  remove(key: string): boolean {
    const before = this.info(key);
    if (before === undefined) return false;
    this.#sql.exec("DELETE FROM entries WHERE key = ?", key);
    this.#recent.delete(key);
    const totals = this.#load();
    totals.revision += 1;
    totals.entries -= 1;
    totals.bytes -= byteLength(key) + before.size;
    return true;
  }

  /**
   * Adds to a decimal integer of 64 bits; a key that is not there counts as 0. Keeps the content type.
   * @throws {KvError} `not_an_integer`, `increment_overflow`
   */
  increment(key: string, by: bigint): { readonly value: bigint; readonly revision: number } {
    const entry = this.get(key);
    const sum = (entry === undefined ? 0n : integerOf(entry.value)) + by;
    if (sum < MIN_INTEGER || sum > MAX_INTEGER) {
      throw new KvError("increment_overflow", `The sum ${sum} does not fit 64 bits. The value is unchanged.`);
    }
    const { revision } = this.put(key, sum.toString(), entry?.type ?? null);
    return { value: sum, revision };
  }

  /** Keys in the order of their bytes. */
  keys({ prefix, after, limit }: Page): string[] {
    const keys: string[] = [];
    // One bound, not two: SQLite would begin at the first of them and read all keys up to the second.
    // The cursor is read row by row, so the first key behind the prefix ends the scan.
    const rows = this.#sql.exec<{ key: string }>(
      "SELECT key FROM entries WHERE key >= max(?1, ?2) AND key <> ?2 ORDER BY key LIMIT ?3",
      prefix,
      after,
      limit,
    );
    for (const { key } of rows) {
      if (!key.startsWith(prefix)) break;
      keys.push(key);
    }
    return keys;
  }

  #remember(key: string, entry: Entry): void {
    if (entry.size <= CACHE_MAX_VALUE_BYTES) this.#recent.set(key, entry);
    else this.#recent.delete(key);
  }

  #load(): TotalsRow {
    return (this.#totals ??= this.#sql.exec<TotalsRow>(SELECT_TOTALS).one());
  }
}

function integerOf(value: Value): bigint {
  const text = textOf(value);
  // At most twenty characters: enough for 64 bits, and no work for a value of a megabyte.
  if (text !== undefined && text.length <= 20 && /^[+-]?\d+$/.test(text)) return BigInt(text);
  throw new KvError("not_an_integer", "The value is not a decimal integer. It is unchanged.");
}
