/** A bucket's tables: its entries, and what is known of them without a scan. Synchronous, one thread. */

import { KvError } from "../errors.ts";
import { byteLength } from "../limits.ts";
import { textOf, type Value } from "../value.ts";

/** What a bucket knows of itself without a scan. */
export interface Totals {
  /** How many keys there are. */
  readonly entries: number;
  /** Bytes of all keys and values. */
  readonly bytes: number;
  /** The revision of the latest change; 0 in a new bucket. */
  readonly revision: number;
}

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

const MIN_INTEGER = -(2n ** 63n);
const MAX_INTEGER = 2n ** 63n - 1n;

type TotalsRow = { entries: number; bytes: number; revision: number };
type InfoRow = { revision: number; type: string | null; size: number };
type EntryRow = InfoRow & { value: Value };

/**
 * The entries of one bucket.
 *
 * The totals live in one row beside the entries. They are kept in memory and written back once for each
 * {@link write}, however many changes that makes: a batch of a hundred puts is a hundred and one rows
 * written, not two hundred.
 */
export class Entries {
  readonly #storage: Pick<DurableObjectStorage, "sql" | "transactionSync">;
  readonly #sql: SqlStorage;
  #totals: TotalsRow | undefined;

  constructor(storage: Pick<DurableObjectStorage, "sql" | "transactionSync">) {
    this.#storage = storage;
    this.#sql = storage.sql;
  }

  /** Makes the tables of a new bucket. */
  createTables(): void {
    // `was` is the size that the latest change replaced: an upsert can return it, and so tell a new key from
    // a replaced one, and what the replaced value weighed, without a read before the write.
    // `value` has no type, so that text is kept as text and bytes as bytes.
    this.#sql.exec(
      `CREATE TABLE entries (
         key TEXT PRIMARY KEY, value NOT NULL, type TEXT, revision INTEGER NOT NULL,
         size INTEGER NOT NULL, was INTEGER
       ) WITHOUT ROWID`,
    );
    this.#sql.exec("CREATE TABLE totals (entries INTEGER NOT NULL, bytes INTEGER NOT NULL, revision INTEGER NOT NULL)");
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
      this.#totals = undefined; // the transaction is undone, so what was counted in memory is wrong
      throw error;
    }
  }

  /** Forgets what it knows of the storage; to be called when that is wiped. */
  reset(): void {
    this.#totals = undefined;
  }

  totals(): Totals {
    return { ...this.#load() };
  }

  get(key: string): Entry | undefined {
    return this.#sql
      .exec<EntryRow>("SELECT value, type, revision, size FROM entries WHERE key = ?", key)
      .toArray()[0];
  }

  info(key: string): EntryInfo | undefined {
    return this.#sql.exec<InfoRow>("SELECT type, revision, size FROM entries WHERE key = ?", key).toArray()[0];
  }

  /** Stores a value under the bucket's next revision. */
  put(key: string, value: Value, type: string | null): { readonly revision: number; readonly created: boolean } {
    const totals = this.#load();
    const revision = totals.revision + 1;
    const size = typeof value === "string" ? byteLength(value) : value.byteLength;
    const { was } = this.#sql
      .exec<{ was: number | null }>(
        `INSERT INTO entries (key, value, type, revision, size) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (key) DO UPDATE
         SET value = excluded.value, type = excluded.type, revision = excluded.revision,
             was = size, size = excluded.size
         RETURNING was`,
        key,
        value,
        type,
        revision,
        size,
      )
      .one();
    const created = was === null;
    totals.revision = revision;
    totals.entries += created ? 1 : 0;
    totals.bytes += created ? byteLength(key) + size : size - was;
    return { revision, created };
  }

  /** Removes a key. @returns whether it was there. Only then is there a new revision. */
  remove(key: string): boolean {
    const removed = this.#sql
      .exec<{ size: number }>("DELETE FROM entries WHERE key = ? RETURNING size", key)
      .toArray()[0];
    if (removed === undefined) return false;
    const totals = this.#load();
    totals.revision += 1;
    totals.entries -= 1;
    totals.bytes -= byteLength(key) + removed.size;
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
  keys(page: Page): string[] {
    const keys: string[] = [];
    // The cursor is read row by row, so the first key behind the prefix ends the scan.
    const rows = this.#sql.exec<{ key: string }>(
      "SELECT key FROM entries WHERE key >= ?1 AND key > ?2 ORDER BY key LIMIT ?3",
      page.prefix,
      page.after,
      page.limit,
    );
    for (const { key } of rows) {
      if (!key.startsWith(page.prefix)) break;
      keys.push(key);
    }
    return keys;
  }

  #load(): TotalsRow {
    return (this.#totals ??= this.#sql.exec<TotalsRow>("SELECT entries, bytes, revision FROM totals").one());
  }
}

function integerOf(value: Value): bigint {
  const text = textOf(value);
  // At most twenty characters: enough for 64 bits, and no work for a value of a megabyte.
  if (text !== undefined && text.length <= 20 && /^[+-]?\d+$/.test(text)) return BigInt(text);
  throw new KvError("not_an_integer", "The value is not a decimal integer. It is unchanged.");
}
