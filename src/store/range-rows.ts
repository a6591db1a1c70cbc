/** Rows of a range of keys, for one page: the one SELECT of all listings. */

import { LIMIT } from "../lib/sql.ts";
import { greatest, least, rangeOf } from "../model/key-range.ts";
import type { ListQuery } from "../model/entry.ts";

/** Which rows: those of the range that have not expired at `now`. */
export type RowQuery = Omit<ListQuery, "values" | "incarnation"> & { readonly now: number };

/** A SELECT and its bindings, in the order of the page. @param columns may use `?6` and later for `more` */
export function rangeSelect(
  columns: string,
  { after, reverse = false, limit, now, ...range }: RowQuery,
  ...more: SqlStorageValue[]
): { readonly text: string; readonly bindings: SqlStorageValue[] } {
  const { from, to } = rangeOf(range);
  // One bound on each side. With two, SQLite would start at the first one and read all keys up to the second.
  const [low, high] = reverse ? [from, least(to, after)] : [greatest(from, after), to];
  return {
    text: `SELECT ${columns} FROM entries
             WHERE key >= ?1 AND key <> ?2 ${high === undefined ? "" : "AND key < ?3"}
               AND (expires IS NULL OR expires > ?4)
             ORDER BY key ${reverse ? "DESC" : ""} ${LIMIT} ?5`,
    bindings: [low, after ?? "", high ?? "", now, limit, ...more],
  };
}

/** The rows as arrays: making an object of each row costs more than reading the row. */
export function rangeRows<Columns extends SqlStorageValue[]>(
  sql: SqlStorage,
  columns: string,
  query: RowQuery,
): Columns[] {
  const { text, bindings } = rangeSelect(columns, query);
  return Array.from(sql.exec(text, ...bindings).raw<Columns>());
}
