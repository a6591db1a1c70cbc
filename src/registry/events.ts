/** What has happened to names, in order: a bounded log. Synchronous, one thread. */

import type { RegistryEvent } from "../model/registry-event.ts";

/** Rows that may be there above the limit before they are removed together, at most. */
const TRIM_EVERY = 256;

type Row = { [Column in keyof RegistryEvent]: RegistryEvent[Column] };

const COLUMNS = "seq, at, kind, name, incarnation, reason";

export class Events {
  readonly #sql: SqlStorage;
  readonly #limit: number;
  readonly #trimEvery: number;

  /** @param limit how many events are kept. */
  constructor(sql: SqlStorage, limit: number) {
    this.#sql = sql;
    this.#limit = limit;
    this.#trimEvery = Math.max(1, Math.min(TRIM_EVERY, Math.floor(limit / 4)));
  }

  createTables(): void {
    // A new row's number is one more than the largest, and the latest is never removed: no number comes twice.
    this.#sql.exec(
      `CREATE TABLE events (
         seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
         incarnation TEXT NOT NULL, reason TEXT
       )`,
    );
  }

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

  /** Whether older events go when this one comes: who has heard less than all should know where the log is. */
  trimsAt(seq: number): boolean {
    return seq % this.#trimEvery === 0;
  }

  /** The number of the latest event; 0 before the first. */
  get position(): number {
    return this.#sql.exec<{ seq: number | null }>("SELECT max(seq) AS seq FROM events").one().seq ?? 0;
  }

  /** Whether every event behind `seq` is still there, and `seq` is none that is yet to come. */
  covers(seq: number): boolean {
    const { position } = this;
    const oldest =
      this.#sql.exec<{ seq: number | null }>("SELECT min(seq) AS seq FROM events").one().seq ?? position + 1;
    return seq <= position && seq >= oldest - 1;
  }

  /** Events behind `seq`, in order; of one name, if it is given. */
  after(seq: number, limit: number, name?: string): RegistryEvent[] {
    return name === undefined
      ? this.#sql
          .exec<Row>(`SELECT ${COLUMNS} FROM events WHERE seq > ? ORDER BY seq LIMIT ?`, seq, limit)
          .toArray()
      : this.#sql
          .exec<Row>(
            `SELECT ${COLUMNS} FROM events WHERE seq > ? AND name = ? ORDER BY seq LIMIT ?`,
            seq,
            name,
            limit,
          )
          .toArray();
  }
}
