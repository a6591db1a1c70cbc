/**
 * A page of entries that SQLite writes as JSON: to read its rows into JavaScript and to write them out again would take
 * half as long again (docs/performance.md). The text is that of `entryText` in schema/entry-json.ts.
 */

import { TEXT_TYPE, type Value } from "../model/value.ts";
import { tagPrefix } from "../model/conditions.ts";
import type { ListQuery } from "../model/entry.ts";
import { TIME_MARK, VALUE_MARK, type PageDraft } from "../model/page-draft.ts";
import { rangeRows, rangeSelect, type RowQuery } from "./range-rows.ts";

/**
 * Rows that SQLite writes into one text. On the platform a text of SQLite's has at most 2 MB, and a row has at most
 * 15 KB of JSON here: six characters for each byte of its key, type and value, and its metadata.
 */
const ROWS = 100;
/** Bytes of the longest value that SQLite writes. */
const SHORT = 1_024;
/** Characters of a page that SQLite writes, and bytes of the values it leaves out: their JSON fits MAX_PAGE_LENGTH. */
const MAX_TEXT = 2 * 1_048_576;
const MAX_MARKED = 1_048_576;

const IS_MARKED = `large IS NULL AND NOT (typeof(value) = 'text' AND octet_length(value) <= ${SHORT})`;
const INFO = `'{"key":', json_quote(key), ',"revision":', revision, ',"etag":"', ?6, revision, '","type":',
  iif(type IS NULL, '"${TEXT_TYPE}"', json_quote(type)), ',"size":', coalesce(large_size, octet_length(value)),
  iif(at = 0, NULL, ',"modified":"${TIME_MARK}' || at || '${TIME_MARK}"'),
  ',"expires":"${TIME_MARK}' || expires || '${TIME_MARK}"', ',"metadata":' || metadata`;
const VALUE = `iif(large IS NOT NULL, NULL, iif(${IS_MARKED}, '${VALUE_MARK}', ',"value":' || json_quote(value)))`;
const INFO_COLUMNS = `key, 0 AS marked, concat(${INFO}, '}') AS text`;
const COLUMNS = `key, iif(${IS_MARKED}, 1 + octet_length(value), 0) AS marked, concat(${INFO}, ${VALUE}, '}') AS text`;

type Piece = [text: string | null, rows: number, last: string, marked: number];

/** Drafts a page. @returns undefined if it is too large for this way: then its rows must be read */
export function draftPage(
  sql: SqlStorage,
  { values = false, limit, ...range }: Omit<ListQuery, "incarnation">,
  { now, incarnation }: { readonly now: number; readonly incarnation: string },
): PageDraft | undefined {
  const texts: string[] = [];
  const marked: Value[] = [];
  let length = 0;
  let unwritten = 0;
  let { after } = range;
  let left = limit;
  while (left > 0) {
    const query: RowQuery = { ...range, now, after, limit: Math.min(left, ROWS) };
    const [text, rows, last, bytes] = draftRows(sql, query, { values, incarnation });
    if (text === null) break;
    length += text.length;
    unwritten += bytes;
    if (length > MAX_TEXT || unwritten > MAX_MARKED) return undefined;
    texts.push(text);
    if (bytes > 0) marked.push(...markedValues(sql, query));
    after = last;
    left -= rows;
    if (rows < query.limit) break;
  }
  const more = left === 0 && rangeRows(sql, "1", { ...range, now, after, limit: 1 }).length > 0;
  return { text: texts.join(","), values: marked, last: more ? after : undefined };
}

function draftRows(
  sql: SqlStorage,
  query: RowQuery,
  { values, incarnation }: { readonly values: boolean; readonly incarnation: string },
): Piece {
  const { text, bindings } = rangeSelect(values ? COLUMNS : INFO_COLUMNS, query, tagPrefix(incarnation));
  const last = query.reverse === true ? "min" : "max";
  // The inner SELECT has a LIMIT, so SQLite keeps its order.
  const rows = sql.exec(
    `SELECT group_concat(text, ','), count(*), ${last}(key), ${values ? "total(marked)" : "0"} FROM (${text})`,
    ...bindings,
  );
  return Array.from(rows.raw<Piece>())[0] as Piece;
}

function markedValues(sql: SqlStorage, query: RowQuery): Value[] {
  const { text, bindings } = rangeSelect("value, large", query);
  const rows = sql.exec(`SELECT value FROM (${text}) WHERE ${IS_MARKED}`, ...bindings);
  return Array.from(rows.raw<[Value]>(), ([value]) => value);
}
