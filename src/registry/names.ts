/** The registry's table: names and the incarnations behind them. Synchronous, one thread. */

/**
 * The states of a name, as in docs/design.md. `starting`: the bucket's object may not have been told yet.
 * `stopping`: it may not have been wiped yet. Only a `running` name is ever looked up or listed.
 */
export type State = "starting" | "running" | "stopping";

/** What a name stands for. */
export interface Registration {
  readonly name: string;
  /** Unique among all buckets that ever had the name. */
  readonly incarnation: string;
  /** The id of the bucket's object, 64 hexadecimal digits. */
  readonly id: string;
  readonly state: State;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** JSON, as it was given. */
  readonly metadata: string | null;
}

export interface NamesPage {
  readonly prefix: string;
  /** Only names behind this one. */
  readonly after: string;
  readonly limit: number;
}

type Row = {
  name: string;
  incarnation: string;
  id: string;
  state: State;
  created_at: number;
  metadata: string | null;
};

const COLUMNS = "name, incarnation, id, state, created_at, metadata";

export class Names {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  createTables(): void {
    this.#sql.exec(
      `CREATE TABLE names (
         name TEXT PRIMARY KEY, incarnation TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL,
         created_at INTEGER NOT NULL, metadata TEXT
       ) WITHOUT ROWID`,
    );
    // Holds only the few names that are between two states, so that repair does not scan the others.
    this.#sql.exec("CREATE INDEX unsettled ON names (name) WHERE state <> 'running'");
  }

  find(name: string): Registration | undefined {
    const row = this.#sql.exec<Row>(`SELECT ${COLUMNS} FROM names WHERE name = ?`, name).toArray()[0];
    return row && registration(row);
  }

  insert(entry: Registration): void {
    this.#sql.exec(
      `INSERT INTO names (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`,
      entry.name,
      entry.incarnation,
      entry.id,
      entry.state,
      entry.createdAt,
      entry.metadata,
    );
  }

  /** Moves this incarnation, and no other that may have taken its name, to another state. */
  mark(entry: Registration, state: State): void {
    this.#sql.exec(
      "UPDATE names SET state = ? WHERE name = ? AND incarnation = ?",
      state,
      entry.name,
      entry.incarnation,
    );
  }

  /** Frees the name of this incarnation. */
  remove(entry: Registration): void {
    this.#sql.exec("DELETE FROM names WHERE name = ? AND incarnation = ?", entry.name, entry.incarnation);
  }

  /** Running names, in the order of their bytes. */
  page({ prefix, after, limit }: NamesPage): Registration[] {
    const page: Registration[] = [];
    const rows = this.#sql.exec<Row>(
      `SELECT ${COLUMNS} FROM names WHERE name >= ?1 AND name > ?2 AND state = 'running' ORDER BY name LIMIT ?3`,
      prefix,
      after,
      limit,
    );
    for (const row of rows) {
      if (!row.name.startsWith(prefix)) break;
      page.push(registration(row));
    }
    return page;
  }

  /** Names between two states, in no order: those that can't be settled must not stand before the others. */
  unsettled(limit: number): Registration[] {
    return this.#sql
      .exec<Row>(`SELECT ${COLUMNS} FROM names WHERE state <> 'running' ORDER BY random() LIMIT ?`, limit)
      .toArray()
      .map(registration);
  }
}

function registration({ created_at: createdAt, ...row }: Row): Registration {
  return { ...row, createdAt };
}
