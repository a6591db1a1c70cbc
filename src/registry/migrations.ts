/** Migrations of a registry partition's tables. */

import type { Migrated, Migrations } from "../otp/migrations.ts";

export const REGISTRY_MIGRATIONS: Migrations = {
  steps: [liveness, placement],
  // Data without a mark is of one of three stages, told apart by the columns that the later two added.
  unmarked: ({ sql }) => {
    const columns = sql.exec<{ name: string }>("SELECT name FROM pragma_table_info('names')").toArray();
    const has = (column: string): boolean => columns.some(({ name }) => name === column);
    if (has("jurisdiction")) return 2;
    return has("restart") ? 1 : 0;
  },
};

/** Version 1, before the first release: restart kinds, probes, sweeps, events. */
function liveness({ sql }: Migrated): void {
  for (const column of [
    "restart TEXT NOT NULL DEFAULT 'permanent'",
    "restarts INTEGER NOT NULL DEFAULT 0",
    "reason TEXT",
    "entries INTEGER",
    "bytes INTEGER",
    "revision INTEGER",
    "probed_at INTEGER",
    "attempts INTEGER NOT NULL DEFAULT 0",
    "check_at INTEGER",
  ]) {
    sql.exec(`ALTER TABLE names ADD COLUMN ${column}`);
  }
  // The index of that stage was on the name.
  sql.exec("DROP INDEX unsettled");
  sql.exec("CREATE INDEX unsettled ON names (check_at) WHERE state <> 'running'");
  // Whatever was between two states is due at once.
  sql.exec("UPDATE names SET check_at = 0 WHERE state <> 'running'");
  sql.exec("CREATE TABLE swept (upto TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID");
  sql.exec(
    `CREATE TABLE events (
       seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
       incarnation TEXT NOT NULL, reason TEXT
     )`,
  );
}

/**
 * Version 2, before the first release: the jurisdiction and the location hint that a bucket was created with. What the
 * stage before was given, and did not keep, is "?": it may have been anything.
 */
function placement({ sql }: Migrated): void {
  for (const column of ["jurisdiction", "location_hint"]) {
    sql.exec(`ALTER TABLE names ADD COLUMN ${column} TEXT DEFAULT '?'`);
  }
}
