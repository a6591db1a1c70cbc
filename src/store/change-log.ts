/**
 * A bucket's change log: a bounded log of changes in order, with the bucket's totals. Synchronous, single-threaded.
 *
 * The algorithm:
 * - Each change is one row, numbered by the bucket's revision. The row also stores the totals after the change, so the
 *   totals need no row of their own: the newest row has the current ones.
 * - An empty log has one row of kind `start`, which holds only the revision and the totals.
 * - A full log overwrites its oldest row with the new change: one written row instead of an insert and a delete.
 * - `floor` is the revision after which the log is complete. A watcher that resumes from an earlier revision must start
 *   again with a snapshot.
 */

import type { Totals } from "../model/totals.ts";
import type { Value } from "../model/value.ts";

/** `expired`: the entry was removed because its lifetime was over. */
export type ChangeKind = "put" | "delete" | "expired";

/** One change of one key. */
export interface Change {
  /** The bucket's revision after this change: one more than the revision of the change before. */
  readonly revision: number;
  readonly kind: ChangeKind;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly key: string;
  /** Null for a removed entry, for a value in chunks, and for a value over {@link LOGGED_VALUE_BYTES} read from the log. */
  readonly value: Value | null;
  /** Size of the value in bytes. */
  readonly size: number;
  readonly type: string | null;
  /** JSON text. */
  readonly metadata: string | null;
  /** When the entry expires, in milliseconds since the epoch; null: never. */
  readonly expires: number | null;
}

/**
 * Bytes of the largest value that the log stores, so a watcher that resumes receives the values that it missed. Larger
 * values could make the log larger than the bucket.
 */
export const LOGGED_VALUE_BYTES = 65_536;

/** The bounds of the log. */
export interface ChangeLogOptions {
  /** How many changes the log keeps. */
  readonly limit: number;
  /** How long it keeps them, in milliseconds. */
  readonly maxAgeMs: number;
}

type Row = Omit<{ [Column in keyof Change]: Change[Column] }, "kind"> & { kind: ChangeKind | typeof START };

/** The kind of the only row of an empty log; it stores the revision and the totals. */
const START = "start";

const COLUMNS = "revision, kind, at, key, value, size, type, metadata, expires";
const TOTALS = "SELECT entries, bytes, revision, kind FROM changes ORDER BY revision DESC LIMIT 1";

interface State {
  entries: number;
  bytes: number;
  revision: number;
  /** The log has every change after this revision. */
  floor: number;
}

/** The log of one bucket. The newest row's values are cached in memory. */
export class ChangeLog {
  readonly #sql: SqlStorage;
  readonly #options: ChangeLogOptions;
  #state: State | undefined;

  constructor(sql: SqlStorage, options: ChangeLogOptions) {
    this.#sql = sql;
    this.#options = options;
  }

  /** Creates the table of a new bucket, with one row that says that the log is empty. */
  createTable(): void {
    this.#sql.exec(
      `CREATE TABLE changes (
         revision INTEGER PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL, key TEXT NOT NULL, value,
         size INTEGER NOT NULL, type TEXT, metadata TEXT, expires INTEGER,
         entries INTEGER NOT NULL, bytes INTEGER NOT NULL
       )`,
    );
    this.#sql.exec(
      "INSERT INTO changes (revision, kind, at, key, size, entries, bytes) VALUES (0, ?, 0, '', 0, 0, 0)",
      START,
    );
  }

  /** Clears the cache. Call it after the storage was wiped or a transaction was rolled back. */
  reset(): void {
    this.#state = undefined;
  }

  /** The current totals. */
  totals(): Totals {
    const { entries, bytes, revision } = this.#load();
    return { entries, bytes, revision };
  }

  /** As {@link totals}, but read from the storage instead of the cache. */
  readTotals(): Totals {
    const { entries, bytes, revision } = this.#newest();
    return { entries, bytes, revision };
  }

  /** The revision of the latest change; 0 before the first. */
  get revision(): number {
    return this.#load().revision;
  }

  /**
   * Appends a change with the next revision.
   * @returns the change, which includes its value even if the log does not store it
   */
  append(
    change: Omit<Change, "revision">,
    difference: { readonly entries: number; readonly bytes: number },
  ): Change {
    const state = this.#load();
    const revision = state.revision + 1;
    const { kind, at, key, value, size, type, metadata, expires } = change;
    state.entries += difference.entries;
    state.bytes += difference.bytes;
    const recycled = this.#recycled(state);
    const logged = size <= LOGGED_VALUE_BYTES ? value : null;
    const row = [revision, kind, at, key, logged, size, type, metadata, expires, state.entries, state.bytes];
    if (recycled === undefined) {
      this.#sql.exec(
        `INSERT INTO changes (${COLUMNS}, entries, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...row,
      );
    } else {
      this.#sql.exec(
        `UPDATE changes SET revision = ?, kind = ?, at = ?, key = ?, value = ?, size = ?, type = ?, metadata = ?,
           expires = ?, entries = ?, bytes = ? WHERE revision = ?`,
        ...row,
        recycled,
      );
    }
    state.revision = revision;
    return { revision, ...change };
  }

  /** Whether the log has every change after `revision`; false also for a revision that is still in the future. */
  covers(revision: number): boolean {
    const state = this.#load();
    return revision >= state.floor && revision <= state.revision;
  }

  /** Up to `limit` changes after `revision`, in order. */
  after(revision: number, limit: number): Change[] {
    return this.#sql
      .exec<Row>(
        `SELECT ${COLUMNS} FROM changes WHERE revision > ? AND kind <> '${START}' ORDER BY revision LIMIT ?`,
        revision,
        limit,
      )
      .toArray() as Change[];
  }

  /**
   * Removes changes that are too old.
   * @returns when the oldest remaining change will be too old, in milliseconds since the epoch; undefined if none
   *   remains
   */
  trim(now: number): number | undefined {
    const state = this.#load();
    const limit = now - this.#options.maxAgeMs;
    // After the clock was set back: restart the age of these changes now, so that they are not kept for longer.
    this.#sql.exec("UPDATE changes SET at = ?1 WHERE at > ?1", now);
    // With min(), SQLite takes the other columns of the result from the row of the minimum.
    const young = this.#sql
      .exec<{ first: number | null; at: number }>(
        `SELECT min(revision) AS first, at FROM changes WHERE kind <> '${START}' AND at > ?`,
        limit,
      )
      .one();
    const last = young.first === null ? state.revision : young.first - 1;
    // The newest row must stay, because it has the totals. If it is too old, only its data about a key is removed.
    this.#sql.exec("DELETE FROM changes WHERE revision <= ?", Math.min(last, state.revision - 1));
    if (last === state.revision) {
      this.#sql.exec(
        `UPDATE changes SET kind = '${START}', key = '', value = NULL, type = NULL, metadata = NULL, expires = NULL
         WHERE revision = ?`,
        last,
      );
    }
    state.floor = last;
    return young.first === null ? undefined : young.at + this.#options.maxAgeMs;
  }

  /** The revision of the row that the next change overwrites; undefined if the log is not full. */
  #recycled(state: State): number | undefined {
    const count = state.revision - state.floor;
    if (count === 0) return state.revision;
    const { limit } = this.#options;
    if (count < limit) return undefined;
    // The log has more rows than the limit only after the setting was lowered.
    if (count > limit) this.#sql.exec("DELETE FROM changes WHERE revision <= ?", state.revision - limit);
    state.floor = state.revision - limit + 1;
    return state.floor;
  }

  #newest(): Totals & { readonly kind: Row["kind"] } {
    return this.#sql.exec<{ [Column in keyof Totals]: number } & { kind: Row["kind"] }>(TOTALS).one();
  }

  #load(): State {
    return (this.#state ??= this.#read());
  }

  #read(): State {
    const { entries, bytes, revision, kind } = this.#newest();
    const { oldest } = this.#sql
      .exec<{ oldest: number }>("SELECT min(revision) AS oldest FROM changes")
      .one();
    return { entries, bytes, revision, floor: kind === START ? revision : oldest - 1 };
  }
}
