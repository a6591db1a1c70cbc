/** A partition's event log: what happened to names, in order and bounded. Synchronous, single-threaded. */

import { LIMIT } from "../lib/sql.ts";
import type { RegistryEvent } from "../model/registry-event.ts";

/** Rows above the limit that are removed together at most: old rows go in groups, not with each event. */
const TRIM_EVERY = 256;

type Row = { [Column in keyof RegistryEvent]: RegistryEvent[Column] };

const COLUMNS = "seq, at, kind, name, incarnation, reason";

/** The event log of one partition. */
export class Events {
  readonly #sql: SqlStorage;
  readonly #limit: number;
  readonly #trimEvery: number;

  /** @param limit how many events the log keeps */
  constructor(sql: SqlStorage, limit: number) {
    this.#sql = sql;
    this.#limit = limit;
    this.#trimEvery = Math.max(1, Math.min(TRIM_EVERY, Math.floor(limit / 4)));
  }

  /** Creates the table. */
  createTables(): void {
    // SQLite numbers a new row one above the largest number. The newest row is never removed, so no number is used twice.
    this.#sql.exec(
      `CREATE TABLE events (
         seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
         incarnation TEXT NOT NULL, reason TEXT
       )`,
    );
  }

  /** Appends an event, and removes old ones from time to time. @returns the event with its number */
  append(event: Omit<RegistryEvent, "seq">): RegistryEvent {
    const { seq } = this.#sql
      .exec<{ seq: number }>(
        "INSERT INTO events (at, kind, name, incarnation, reason) VALUES (?, ?, ?, ?, ?) RETURNING seq",
        event.at,
        event.kind,
        event.name,
        event.incarnation,
        event.reason,
      )
      .one();
    if (this.trimsAt(seq)) this.#sql.exec("DELETE FROM events WHERE seq <= ?", seq - this.#limit);
    return { seq, ...event };
  }

  /** Whether the log removes old events with this one. Followers of one name must then learn the log's position. */
  trimsAt(seq: number): boolean {
    return seq % this.#trimEvery === 0;
  }

  /** The number of the latest event; 0 before the first. */
  get position(): number {
    return this.#sql.exec<{ seq: number | null }>("SELECT max(seq) AS seq FROM events").one().seq ?? 0;
  }

  /** Whether the log has every event after `seq`; false also for a number that is still in the future. */
  covers(seq: number): boolean {
    const { position } = this;
    const oldest =
      this.#sql.exec<{ seq: number | null }>("SELECT min(seq) AS seq FROM events").one().seq ?? position + 1;
    return seq <= position && seq >= oldest - 1;
  }

  /** Up to `limit` events after `seq`, in order; only those of `name`, if it is given. */
  after(seq: number, limit: number, name?: string): RegistryEvent[] {
    return name === undefined
      ? this.#sql
          .exec<Row>(`SELECT ${COLUMNS} FROM events WHERE seq > ? ORDER BY seq ${LIMIT} ?`, seq, limit)
          .toArray()
      : this.#sql
          .exec<Row>(
            `SELECT ${COLUMNS} FROM events WHERE seq > ? AND name = ? ORDER BY seq ${LIMIT} ?`,
            seq,
            name,
            limit,
          )
          .toArray();
  }
}
