/** Removes everything that an object keeps, inside a transaction. */

/** Names of the platform's own tables. */
const PLATFORM_TABLE = /^(sqlite_|_cf_)/;

/** As `deleteAll`, but synchronous, so that it can be part of a transaction. The alarm stays. */
export function dropEverything({ sql, kv }: Pick<DurableObjectStorage, "sql" | "kv">): void {
  const tables = sql.exec<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'").toArray();
  for (const { name } of tables) if (!PLATFORM_TABLE.test(name)) sql.exec(`DROP TABLE "${name}"`);
  for (const key of [...kv.list()].map(([name]) => name)) kv.delete(key);
}
