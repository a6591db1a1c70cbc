/** Migrations of a bucket's tables. */

import type { Migrated, Migrations } from "../otp/migrations.ts";

export const BUCKET_MIGRATIONS: Migrations = {
  steps: [changeLog, records],
  // Data without a mark is of one of two stages. The older one kept the totals in a table of their own, where the other
  // has them in the change log.
  unmarked: ({ sql }) =>
    sql.exec("SELECT 1 FROM sqlite_schema WHERE name = 'totals'").toArray().length > 0 ? 0 : 1,
};

/** Version 1, before the first release: times to live, metadata, the change log, large values, idempotency keys. */
function changeLog({ sql }: Migrated): void {
  for (const column of [
    "expires INTEGER",
    "at INTEGER NOT NULL DEFAULT 0",
    "metadata TEXT",
    "large TEXT",
    "large_size INTEGER",
  ]) {
    sql.exec(`ALTER TABLE entries ADD COLUMN ${column}`);
  }
  sql.exec("CREATE INDEX expiries ON entries (expires) WHERE expires IS NOT NULL");
  sql.exec(
    `CREATE TABLE changes (
       revision INTEGER PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL, key TEXT NOT NULL, value,
       size INTEGER NOT NULL, type TEXT, metadata TEXT, expires INTEGER,
       entries INTEGER NOT NULL, bytes INTEGER NOT NULL
     )`,
  );
  // The log begins where the bucket stands: a row of the kind "start" has the totals and tells of no change.
  sql.exec(
    `INSERT INTO changes (revision, kind, at, key, size, entries, bytes)
       SELECT revision, 'start', 0, '', 0, entries, bytes FROM totals`,
  );
  sql.exec("DROP TABLE totals");
  sql.exec(
    "CREATE TABLE chunks (large TEXT, n INTEGER, bytes BLOB NOT NULL, PRIMARY KEY (large, n)) WITHOUT ROWID",
  );
  sql.exec(
    `CREATE TABLE unowned (
       large TEXT PRIMARY KEY, chunks INTEGER NOT NULL, size INTEGER NOT NULL, at INTEGER NOT NULL,
       replaced INTEGER NOT NULL
     ) WITHOUT ROWID`,
  );
  sql.exec(
    `CREATE TABLE remembered (
       n INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, fingerprint TEXT NOT NULL,
       result TEXT NOT NULL
     )`,
  );
}

/** Version 2: the change log has a record for each transaction, where it had a row for each change. */
function records({ sql }: Migrated): void {
  sql.exec(
    `CREATE TABLE log (
       revision INTEGER PRIMARY KEY, at INTEGER NOT NULL, entries INTEGER NOT NULL, bytes INTEGER NOT NULL,
       changes TEXT NOT NULL, blobs BLOB
     )`,
  );
  for (const row of changeRows(sql)) {
    const { revision, at, kind, key, value, size, type, metadata, expires, entries, bytes } = row;
    const blob = typeof value === "string" ? null : value;
    // Bytes are kept beside the text of a record, which says where they begin.
    const change = [kind, key, size, blob === null ? value : 0, type, metadata, expires];
    const changes = kind === "start" ? [] : [kind === "put" ? change : [kind, key]];
    sql.exec(
      "INSERT INTO log (revision, at, entries, bytes, changes, blobs) VALUES (?, ?, ?, ?, ?, ?)",
      revision,
      at,
      entries,
      bytes,
      JSON.stringify(changes),
      blob,
    );
  }
  sql.exec("DROP TABLE changes");
}

/** One at a time: all of them, with their values, might be more than the memory of an object. */
function* changeRows(sql: SqlStorage): Generator<ChangeRow, void, void> {
  for (let last = -1; ;) {
    const query = "SELECT * FROM changes WHERE revision > ? ORDER BY revision LIMIT 1";
    const [row] = sql.exec<ChangeRow>(query, last).toArray();
    if (row === undefined) return;
    yield row;
    last = row.revision;
  }
}

type ChangeRow = {
  revision: number;
  at: number;
  kind: string;
  key: string;
  value: string | ArrayBuffer | null;
  size: number;
  type: string | null;
  metadata: string | null;
  expires: number | null;
  entries: number;
  bytes: number;
};
