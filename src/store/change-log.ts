/** What has changed in a bucket, in order: a bounded log, and the totals after each change. Synchronous, one thread. */

import type { Totals } from "../model/totals.ts";
import type { Value } from "../model/value.ts";

/** `expired`: its time to live was over, and the entry was removed. */
export type ChangeKind = "put" | "delete" | "expired";

export interface Change {
  /** The bucket's revision that this change made; increasing, none is left out. */
  readonly revision: number;
  readonly kind: ChangeKind;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly key: string;
  /** Null where nothing was put, and for a value that is kept in chunks, or too large for the log. */
  readonly value: Value | null;
  /** Bytes of the value. */
  readonly size: number;
  readonly type: string | null;
  /** JSON. */
  readonly metadata: string | null;
  /** Milliseconds since the epoch. */
  readonly expires: number | null;
}

/**
 * Bytes of a value that the log keeps: a watcher that comes back gets what it would have got. Larger ones would
 * make the log larger than the bucket.
 */
export const LOGGED_VALUE_BYTES = 65_536;

export interface ChangeLogOptions {
  /** How many changes are kept. */
  readonly limit: number;
  /** How long they are kept, in milliseconds. */
  readonly maxAgeMs: number;
}

type Row = Omit<{ [Column in keyof Change]: Change[Column] }, "kind"> & { kind: ChangeKind | typeof START };

/** The kind of the one row of an empty log, which says what the revision and the totals are. */
const START = "start";

const COLUMNS = "revision, kind, at, key, value, size, type, metadata, expires";
const TOTALS = "SELECT entries, bytes, revision, kind FROM changes ORDER BY revision DESC LIMIT 1";

interface State {
  entries: number;
  bytes: number;
  revision: number;
  /** Changes behind this revision are all there. */
  floor: number;
}

/**
 * Each change is one row, which also carries the totals: they cost no row of their own. When the log is full
 * the oldest row becomes the newest, so that a change writes one row here, not one and a deletion.
 */
export class ChangeLog {
  readonly #sql: SqlStorage;
  readonly #options: ChangeLogOptions;
  #state: State | undefined;

  constructor(sql: SqlStorage, options: ChangeLogOptions) {
    this.#sql = sql;
    this.#options = options;
  }

  /** Makes the log of a new bucket, with one row that says that nothing is there. */
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

  /** Forgets what it knows of the storage; to be called when that is wiped, or a change undone. */
  reset(): void {
    this.#state = undefined;
  }

  totals(): Totals {
    const { entries, bytes, revision } = this.#load();
    return { entries, bytes, revision };
  }

  /** As {@link totals}, from the storage itself. */
  readTotals(): Totals {
    const { entries, bytes, revision } = this.#newest();
    return { entries, bytes, revision };
  }

  /** The revision of the latest change; 0 before the first. */
  get revision(): number {
    return this.#load().revision;
  }

  /** Adds a change, under the next revision. @returns it, with its value however large that is. */
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

  /** Whether every change behind `revision` is still there, and it is none that is yet to come. */
  covers(revision: number): boolean {
    const state = this.#load();
    return revision >= state.floor && revision <= state.revision;
  }

  /** Changes behind `revision`, in order. */
  after(revision: number, limit: number): Change[] {
    return this.#sql
      .exec<Row>(
        `SELECT ${COLUMNS} FROM changes WHERE revision > ? AND kind <> '${START}' ORDER BY revision LIMIT ?`,
        revision,
        limit,
      )
      .toArray() as Change[];
  }

  /** Removes what is too old. @returns when the next change will be; undefined if there is none. */
  trim(now: number): number | undefined {
    const state = this.#load();
    const limit = now - this.#options.maxAgeMs;
    // The clock was put back: counted from now on, so that they are not kept for longer.
    this.#sql.exec("UPDATE changes SET at = ?1 WHERE at > ?1", now);
    // Of an aggregate's one row SQLite takes the other columns from where the minimum is.
    const young = this.#sql
      .exec<{ first: number | null; at: number }>(
        `SELECT min(revision) AS first, at FROM changes WHERE kind <> '${START}' AND at > ?`,
        limit,
      )
      .one();
    const last = young.first === null ? state.revision : young.first - 1;
    // The latest row stays for its totals, but not what it says of a key.
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

  /** The row that the next change takes over, where there is one that is no longer needed. */
  #recycled(state: State): number | undefined {
    const count = state.revision - state.floor;
    if (count === 0) return state.revision;
    const { limit } = this.#options;
    if (count < limit) return undefined;
    // More than one too many: the limit was lowered.
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
