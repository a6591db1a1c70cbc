/** The registry's table of names, with the incarnation and state of each. Synchronous, single-threaded. */

import { LIMIT } from "../lib/sql.ts";
import type { Incarnation } from "../model/incarnation.ts";
import { type NamesQuery, type Probe, type Registration, type State } from "../model/registration.ts";
import type { RestartKind } from "../otp/restart.ts";

/** The next state of a name. */
export interface NextState {
  readonly state: State;
  /** When the alarm checks the name, in milliseconds since the epoch; null for `running`, which the sweep probes. */
  readonly checkAt: number | null;
  /** Failed attempts in a row. */
  readonly attempts: number;
  /** Unchanged if left out. */
  readonly reason?: string | undefined;
}

type Row = {
  name: string;
  incarnation: string;
  id: string;
  state: State;
  restart: RestartKind;
  restarts: number;
  reason: string | null;
  created_at: number;
  metadata: string | null;
  jurisdiction: string | null;
  location_hint: string | null;
  entries: number | null;
  bytes: number;
  revision: number;
  probed_at: number;
  attempts: number;
};

const COLUMNS =
  "name, incarnation, id, state, restart, restarts, reason, created_at, metadata, jurisdiction, location_hint, entries, bytes, revision, probed_at, attempts";

/** Lookups and lists return a bucket in one of these states. */
const LIVES = "state NOT IN ('starting', 'stopping')";

/** The names of one partition. */
export class Names {
  readonly #sql: SqlStorage;
  #size: number | undefined;
  #rowsWritten = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Creates the tables. */
  createTables(): void {
    this.#sql.exec(
      `CREATE TABLE names (
         name TEXT PRIMARY KEY, incarnation TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL,
         restart TEXT NOT NULL, restarts INTEGER NOT NULL DEFAULT 0, reason TEXT, created_at INTEGER NOT NULL,
         metadata TEXT, jurisdiction TEXT, location_hint TEXT, entries INTEGER, bytes INTEGER, revision INTEGER, probed_at INTEGER,
         attempts INTEGER NOT NULL DEFAULT 0, check_at INTEGER
       ) WITHOUT ROWID`,
    );
    this.#createIndices();
  }

  /** Rows written since the object was woken, as the platform counts them. */
  get rowsWritten(): number {
    return this.#rowsWritten;
  }

  /** Clears the cached size. Call it after a transaction was rolled back. */
  reset(): void {
    this.#size = undefined;
  }

  /** The row of a name, in any state; undefined if the name is free. */
  find(name: string): Registration | undefined {
    const row = this.#sql.exec<Row>(`SELECT ${COLUMNS} FROM names WHERE name = ?`, name).toArray()[0];
    return row && this.#registration(row);
  }

  /** Inserts the row of a new bucket. @param checkAt see {@link NextState} */
  insert(entry: Registration, checkAt: number | null): void {
    this.#write(
      `INSERT INTO names (name, incarnation, id, state, restart, created_at, metadata, jurisdiction, location_hint, check_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      entry.name,
      entry.incarnation,
      entry.id,
      entry.state,
      entry.restart,
      entry.createdAt,
      entry.metadata,
      entry.jurisdiction,
      entry.locationHint,
      checkAt,
    );
    if (this.#size !== undefined) this.#size += 1;
  }

  /** Moves a bucket to its next state. @throws if this incarnation does not have the name */
  move(bucket: Incarnation, { state, checkAt, attempts, reason }: NextState): void {
    this.#change(
      bucket,
      "UPDATE names SET state = ?, check_at = ?, attempts = ?, reason = coalesce(?, reason) WHERE name = ? AND incarnation = ?",
      state,
      checkAt,
      attempts,
      reason ?? null,
    );
  }

  /** Removes the row of this incarnation, which frees the name. @throws if this incarnation does not have the name */
  remove(bucket: Incarnation): void {
    this.#change(bucket, "DELETE FROM names WHERE name = ? AND incarnation = ?");
    if (this.#size !== undefined) this.#size -= 1;
  }

  /** Stores the number of restarts, and the reason of the last. @throws if this incarnation does not have the name */
  count(bucket: Incarnation, restarts: number, reason: string): void {
    this.#change(
      bucket,
      "UPDATE names SET restarts = ?, reason = ? WHERE name = ? AND incarnation = ?",
      restarts,
      reason,
    );
  }

  /** Stores the result of a successful probe. @throws if this incarnation does not have the name */
  saveProbe(bucket: Incarnation, { entries, bytes, revision, at }: Probe): void {
    this.#change(
      bucket,
      "UPDATE names SET entries = ?, bytes = ?, revision = ?, probed_at = ? WHERE name = ? AND incarnation = ?",
      entries,
      bytes,
      revision,
      at,
    );
  }

  /**
   * Stores that all names after `after` up to `upto` were probed at `at`. It is one row for the whole batch, so an idle
   * bucket with unchanged totals costs no write.
   */
  saveSweep(after: string, upto: string, at: number): void {
    this.#write("DELETE FROM swept WHERE upto > ? AND upto < ?", after, upto);
    this.#write("INSERT OR REPLACE INTO swept (upto, at) VALUES (?, ?)", upto, at);
  }

  /** One page of living buckets, in the order of their names' bytes. */
  page({ prefix, after, limit }: NamesQuery): Registration[] {
    const page: Registration[] = [];
    // One lower bound. With two, SQLite would start at the first one and read all names up to the second.
    const rows = this.#sql.exec<Row>(
      `SELECT ${COLUMNS} FROM names WHERE name >= max(?1, ?2) AND name <> ?2 AND ${LIVES} ORDER BY name ${LIMIT} ?3`,
      prefix,
      after,
      limit,
    );
    const swept = this.#sweptFrom(after > prefix ? after : prefix);
    for (const row of rows) {
      if (!row.name.startsWith(prefix)) break;
      page.push(registration(row, swept(row.name)));
    }
    return page;
  }

  /** The next running names after this one, for the sweep. */
  runningAfter(after: string, limit: number): Registration[] {
    return this.#sql
      .exec<Row>(
        `SELECT ${COLUMNS} FROM names WHERE name > ? AND state = 'running' ORDER BY name ${LIMIT} ?`,
        after,
        limit,
      )
      .toArray()
      .map((row) => registration(row, undefined));
  }

  /** Names whose check is due, the most overdue first. */
  due(now: number, limit: number): Registration[] {
    return this.#sql
      .exec<Row>(
        `SELECT ${COLUMNS} FROM names WHERE state <> 'running' AND check_at <= ? ORDER BY check_at ${LIMIT} ?`,
        now,
        limit,
      )
      .toArray()
      .map((row) => registration(row, undefined));
  }

  /** When the next check is due, in milliseconds since the epoch; undefined if all names are running. */
  nextCheck(): number | undefined {
    const { due } = this.#sql
      .exec<{ due: number | null }>("SELECT min(check_at) AS due FROM names WHERE state <> 'running'")
      .one();
    return due ?? undefined;
  }

  /**
   * Corrects times after the clock was set back to `now`: checks in the future become due, and probes in the future
   * were now.
   */
  clockSetBack(now: number): void {
    this.#write("UPDATE names SET check_at = ?1 WHERE state <> 'running' AND check_at > ?1", now);
    this.#write("UPDATE names SET probed_at = ?1 WHERE probed_at > ?1", now);
    this.#write("UPDATE swept SET at = ?1 WHERE at > ?1", now);
  }

  /** The number of names. Counted once, then kept up to date. */
  get size(): number {
    return (this.#size ??= this.#sql.exec<{ size: number }>("SELECT count(*) AS size FROM names").one().size);
  }

  /** The number of names in each state. */
  counts(): Readonly<Record<State, number>> {
    const counts = { starting: 0, running: 0, suspect: 0, unreachable: 0, stopping: 0 };
    const rows = this.#sql.exec<{ state: State; count: number }>(
      "SELECT state, count(*) AS count FROM names WHERE state <> 'running' GROUP BY state",
    );
    let others = 0;
    for (const { state, count } of rows) {
      counts[state] = count;
      others += count;
    }
    return { ...counts, running: this.size - others };
  }

  #createIndices(): void {
    // A partial index of the few names with a pending check, so finding them does not scan the others.
    this.#sql.exec("CREATE INDEX unsettled ON names (check_at) WHERE state <> 'running'");
    // One row for each batch of the sweep: when the names after the previous row's `upto`, up to this `upto`, were last
    // probed.
    this.#sql.exec("CREATE TABLE swept (upto TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID");
  }

  /** Changes the row of an incarnation. The protocol has just read it, so a row that is not there is a bug. */
  #change({ name, incarnation }: Incarnation, statement: string, ...bindings: SqlStorageValue[]): void {
    if (this.#write(statement, ...bindings, name, incarnation) > 0) return;
    throw new Error(`the registry has no row of ${name} with incarnation ${incarnation}`);
  }

  #write(statement: string, ...bindings: SqlStorageValue[]): number {
    const { rowsWritten } = this.#sql.exec(statement, ...bindings);
    this.#rowsWritten += rowsWritten;
    return rowsWritten;
  }

  #registration(row: Row): Registration {
    const swept = this.#sql
      .exec<{ at: number }>("SELECT at FROM swept WHERE upto >= ? ORDER BY upto LIMIT 1", row.name)
      .toArray()[0];
    return registration(row, swept?.at);
  }

  /** Returns a function that gives the time of a name's last sweep. Call it with ascending names, none before `from`. */
  #sweptFrom(from: string): (name: string) => number | undefined {
    const rows = this.#sql.exec<{ upto: string; at: number }>(
      "SELECT upto, at FROM swept WHERE upto >= ? ORDER BY upto",
      from,
    );
    let current = rows.next();
    return (name) => {
      while (current.done !== true && current.value.upto < name) current = rows.next();
      return current.done === true ? undefined : current.value.at;
    };
  }
}

function registration(row: Row, sweptAt: number | undefined): Registration {
  const { entries, bytes, revision } = row;
  // A later sweep confirmed the totals of a running bucket. For the other states the sweep did not reach the bucket.
  const probedAt = row.state === "running" ? Math.max(row.probed_at, sweptAt ?? 0) : row.probed_at;
  return {
    name: row.name,
    incarnation: row.incarnation,
    id: row.id,
    state: row.state,
    restart: row.restart,
    restarts: row.restarts,
    reason: row.reason,
    createdAt: row.created_at,
    metadata: row.metadata,
    jurisdiction: row.jurisdiction,
    locationHint: row.location_hint,
    attempts: row.attempts,
    probe: entries === null ? null : { entries, bytes, revision, at: probedAt },
  };
}
