/**
 * A bucket's change log: a bounded log of changes in order, with the bucket's totals. Synchronous, single-threaded.
 *
 * The algorithm:
 * - Each change has the bucket's next revision. All changes of one transaction are one record (log-record.ts): a row
 *   under the revision of the last one. It also stores the totals after them, so the totals need no row of their own: the
 *   newest row has the current ones.
 * - An empty log has one record without changes, which holds only the revision and the totals.
 * - A full log overwrites its oldest record with the new one: one written row instead of an insert and a delete.
 * - `floor` is the revision after which the log is complete. A watcher that resumes from an earlier revision must start
 *   again with a snapshot.
 */

import { LIMIT } from "../lib/sql.ts";
import type { Change } from "../model/change.ts";
import type { Totals } from "../model/totals.ts";
import { decodeChanges, encodeChanges, inRecords, type LogRecord } from "./log-record.ts";

/** The bounds of the log. */
export interface ChangeLogOptions {
  /** How many changes the log keeps, and no more than one record beyond. */
  readonly limit: number;
  /** How long it keeps them, in milliseconds. */
  readonly maxAgeMs: number;
}

/** The table. `revision` is that of the record's last change. */
const LOG_TABLE = `CREATE TABLE log (
  revision INTEGER PRIMARY KEY, at INTEGER NOT NULL, entries INTEGER NOT NULL, bytes INTEGER NOT NULL,
  changes TEXT NOT NULL, blobs BLOB
)`;
const COLUMNS = `revision, at, entries, bytes, changes, blobs`;
/** The changes of an empty log. */
const NONE = "[]";

const TOTALS = "SELECT entries, bytes, revision FROM log ORDER BY revision DESC LIMIT 1";
/** Bytes of records that are read at once. */
const READ_BYTES = 1_048_576;
/** The revisions of the oldest records are read in advance, so many at a time. */
const AHEAD = 64;

interface State {
  entries: number;
  bytes: number;
  revision: number;
  /** The log has every change after this revision. */
  floor: number;
}

/** The log of one bucket. The totals and the log's bounds are cached in memory. */
export class ChangeLog {
  readonly #sql: SqlStorage;
  readonly #options: ChangeLogOptions;
  #state: State | undefined;
  /** The revisions of the oldest records, as many as are known. */
  #oldest: number[] = [];

  constructor(sql: SqlStorage, options: ChangeLogOptions) {
    this.#sql = sql;
    this.#options = options;
  }

  /** Creates the table of a new bucket, with one record that says that the log is empty. */
  createTable(): void {
    this.#sql.exec(LOG_TABLE);
    this.#sql.exec(`INSERT INTO log (${COLUMNS}) VALUES (0, 0, 0, 0, ?, NULL)`, NONE);
  }

  /** Clears the cache. Call it after the storage was wiped or a transaction was rolled back. */
  reset(): void {
    this.#state = undefined;
    this.#oldest = [];
  }

  /** The current totals. */
  totals(): Totals {
    const { entries, bytes, revision } = this.#load();
    return { entries, bytes, revision };
  }

  /** As {@link totals}, but read from the storage instead of the cache. */
  readTotals(): Totals {
    return this.#sql.exec<{ [Column in keyof Totals]: number }>(TOTALS).one();
  }

  /** The revision of the latest change; 0 before the first. */
  get revision(): number {
    return this.#load().revision;
  }

  /**
   * The revision of the next change. It is written with the others of its transaction, by {@link write}.
   * @param entries how many entries there are more after it @param bytes how many bytes there are more
   */
  next(entries: number, bytes: number): number {
    const state = this.#load();
    state.entries += entries;
    state.bytes += bytes;
    state.revision += 1;
    return state.revision;
  }

  /** Writes all changes of a transaction. Call it at its end. */
  write(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    for (const some of inRecords(changes)) this.#write(some);
  }

  /** Whether the log has every change after `revision`; false also for a revision that is still in the future. */
  covers(revision: number): boolean {
    const state = this.#load();
    return revision >= state.floor && revision <= state.revision;
  }

  /** The next changes after `revision`, in order: about a megabyte of them, at least one record. */
  after(revision: number): Change[] {
    const sizes = this.#sql.exec<{ last: number; bytes: number }>(
      `SELECT revision AS last, octet_length(changes) + coalesce(octet_length(blobs), 0) AS bytes
         FROM log WHERE revision > ? ORDER BY revision ${LIMIT} ?`,
      revision,
      AHEAD,
    );
    let until = revision;
    let bytes = 0;
    // Read to its end: an open cursor would keep the table from being dropped.
    for (const record of sizes.toArray()) {
      if (bytes > READ_BYTES) break;
      bytes += record.bytes;
      until = record.last;
    }
    const records = this.#sql.exec<Row>(
      "SELECT revision, at, changes, blobs FROM log WHERE revision > ? AND revision <= ? ORDER BY revision",
      revision,
      until,
    );
    return records
      .toArray()
      .flatMap((row) => decodeChanges(row, row.revision, row.at))
      .filter((change) => change.revision > revision);
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
    this.#sql.exec("UPDATE log SET at = ?1 WHERE at > ?1", now);
    // With min(), SQLite takes the other columns of the result from the row of the minimum.
    const young = this.#sql
      .exec<{ first: number | null; at: number }>(
        // In this order: the changes of old records are not read.
        "SELECT min(revision) AS first, at FROM log WHERE at > ? AND changes <> ?",
        limit,
        NONE,
      )
      .one();
    // The newest row must stay, because it has the totals. If it is too old, only its changes are removed.
    const first = young.first ?? state.revision;
    const before = this.#sql
      .exec<{ last: number | null }>("SELECT max(revision) AS last FROM log WHERE revision < ?", first)
      .one().last;
    this.#sql.exec("DELETE FROM log WHERE revision < ?", first);
    this.#oldest = [];
    if (young.first === null) {
      this.#sql.exec("UPDATE log SET changes = ?, blobs = NULL WHERE revision = ?", NONE, state.revision);
      state.floor = state.revision;
      return undefined;
    }
    state.floor = before ?? state.floor;
    return young.at + this.#options.maxAgeMs;
  }

  #write(changes: readonly Change[]): void {
    const state = this.#load();
    const { revision, at } = changes.at(-1) as Change;
    const { changes: text, blobs } = encodeChanges(changes);
    const row = [revision, at, state.entries, state.bytes, text, blobs];
    const recycled = this.#recycled(state, revision);
    if (recycled === undefined) {
      this.#sql.exec(`INSERT INTO log (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`, ...row);
    } else {
      this.#sql.exec(
        `UPDATE log SET revision = ?, at = ?, entries = ?, bytes = ?, changes = ?, blobs = ? WHERE revision = ?`,
        ...row,
        recycled,
      );
    }
  }

  /**
   * Removes the oldest records that the log does not need, once there is one up to `revision`, but for one.
   * @returns the revision of that one, which the new record overwrites; undefined if there is none
   */
  #recycled(state: State, revision: number): number | undefined {
    const gone: number[] = [];
    for (;;) {
      const oldest = this.#oldestAfter(gone.length);
      // A record at the floor has no changes: it is that of an empty log.
      const isNeeded = oldest !== state.floor && revision - (oldest ?? revision) < this.#options.limit;
      if (oldest === undefined || isNeeded) break;
      gone.push(oldest);
    }
    const last = gone.at(-1);
    if (last === undefined) return undefined;
    if (gone.length > 1) this.#sql.exec("DELETE FROM log WHERE revision < ?", last);
    this.#oldest.splice(0, gone.length);
    state.floor = last;
    return last;
  }

  /** The revision of the oldest record but `skipped`. */
  #oldestAfter(skipped: number): number | undefined {
    if (this.#oldest.length <= skipped) {
      this.#oldest = this.#sql
        .exec<{ revision: number }>(`SELECT revision FROM log ORDER BY revision ${LIMIT} ?`, skipped + AHEAD)
        .toArray()
        .map((row) => row.revision);
    }
    return this.#oldest[skipped];
  }

  #load(): State {
    return (this.#state ??= this.#read());
  }

  #read(): State {
    const oldest = this.#sql
      .exec<{ revision: number; count: number }>(
        "SELECT revision, json_array_length(changes) AS count FROM log ORDER BY revision LIMIT 1",
      )
      .one();
    return { ...this.readTotals(), floor: oldest.revision - oldest.count };
  }
}

type Row = LogColumns & { revision: number; at: number; entries: number; bytes: number };
type LogColumns = { changes: LogRecord["changes"]; blobs: LogRecord["blobs"] };
