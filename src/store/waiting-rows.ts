/**
 * Rows of the table of entries that wait for the end of their transaction. Of several puts of one key only the last row is
 * written, and several rows go in one statement: a statement costs more than a row (docs/performance.md). What the puts were
 * is in the change log all the same.
 *
 * A reader of the table, and not of one key, has to {@link flush} first.
 */

import type { Entry } from "../model/entry.ts";

/** The value is in the row, and the columns that most entries do not need are null. */
type PlainEntry = Entry & { readonly expires: null; readonly metadata: null; readonly large: null };

const COLUMNS = ["key", "value", "type", "revision", "at"];
/** Rows of a statement, most first. The platform allows a statement 100 parameters. */
const SIZES = [16, 4, 1];
const STATEMENTS: readonly (readonly [size: number, text: string])[] = SIZES.map((size) => {
  const row = `(${COLUMNS.map(() => "?").join(", ")})`;
  const rows = Array.from({ length: size }, () => row).join(", ");
  return [size, `INSERT OR REPLACE INTO entries (${COLUMNS.join(", ")}) VALUES ${rows}`];
});
/** Bytes of values, and rows, that wait at most. */
const MAX_BYTES = 1_048_576;
const MAX_ROWS = 256;

/** Whether an entry's row may wait. */
export function mayWait(entry: Entry): entry is PlainEntry {
  return entry.expires === null && entry.metadata === null && entry.large === null;
}

export class WaitingRows {
  readonly #sql: SqlStorage;
  readonly #rows = new Map<string, PlainEntry>();
  #bytes = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The row of this key that waits. */
  get(key: string): Entry | undefined {
    return this.#rows.get(key);
  }

  /** Writes a row at the end of the transaction, or before it. Replaces one that waits. */
  put(key: string, entry: PlainEntry): void {
    this.drop(key);
    this.#rows.set(key, entry);
    this.#bytes += entry.size;
    if (this.#bytes > MAX_BYTES || this.#rows.size === MAX_ROWS) this.flush();
  }

  /** Does not write the row of this key: it is removed, or written otherwise. */
  drop(key: string): void {
    const entry = this.#rows.get(key);
    if (entry === undefined) return;
    this.#rows.delete(key);
    this.#bytes -= entry.size;
  }

  /** Writes all rows that wait. */
  flush(): void {
    if (this.#rows.size === 0) return;
    const rows = [...this.#rows];
    this.clear();
    let at = 0;
    for (const [size, text] of STATEMENTS) {
      for (; rows.length - at >= size; at += size) {
        const bindings: SqlStorageValue[] = [];
        for (const [key, { value, type, revision, at: time }] of rows.slice(at, at + size))
          bindings.push(key, value, type, revision, time);
        this.#sql.exec(text, ...bindings);
      }
    }
  }

  /** Forgets all rows that wait: their transaction is rolled back. */
  clear(): void {
    this.#rows.clear();
    this.#bytes = 0;
  }
}
