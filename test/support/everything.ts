/** All that an object keeps, to compare what was before with what is after. */

export interface Everything {
  readonly keys: Readonly<Record<string, unknown>>;
  /** Rows by table. */
  readonly tables: Readonly<Record<string, unknown>>;
  readonly alarm: number | null;
}

export async function everythingOf(storage: DurableObjectStorage): Promise<Everything> {
  const tables = storage.sql
    .exec<{ name: string }>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'",
    )
    .toArray();
  return {
    keys: Object.fromEntries(storage.kv.list()),
    tables: Object.fromEntries(
      tables.map(({ name }) => [name, storage.sql.exec(`SELECT * FROM "${name}"`).toArray()]),
    ),
    alarm: await storage.getAlarm(),
  };
}
