/** Entries as JSON, for lists, for results of batches and transactions, and for watch events. Pure. */

import type { EntryJson } from "../contract/entries.ts";
import { encodeKeyCursor } from "../model/cursor.ts";
import { KeptJson } from "../model/kept-json.ts";
import { MAX_PAGE_LENGTH } from "../model/limits.ts";
import { TIME_MARK, VALUE_MARK, type PageDraft } from "../model/page-draft.ts";
import { TEXT_TYPE, toJson, type Value } from "../model/value.ts";
import { etag } from "../model/conditions.ts";
import type { EntryInfo, Listed } from "../model/entry.ts";

/** What JSON shows of an entry beside its key and value. */
type ShownInfo = Pick<EntryInfo, "revision" | "type" | "size" | "expires" | "at" | "metadata">;

/** One entry. @param value undefined if it was not requested, or is too large to be sent with others */
export function entryJson(incarnation: string, key: string, info: ShownInfo, value?: Value): EntryJson {
  const { revision, type, size, expires, at, metadata } = info;
  return {
    key,
    revision,
    etag: etag(incarnation, revision),
    type: type ?? TEXT_TYPE,
    size,
    ...(at === 0 ? {} : { modified: new Date(at).toISOString() }),
    ...(expires === null ? {} : { expires: new Date(expires).toISOString() }),
    ...(metadata === null ? {} : { metadata: new KeptJson(metadata) }),
    ...(value === undefined ? {} : toJson(value)),
  };
}

/**
 * The JSON text of a {@link KeysPage}. The page ends early if its text exceeds {@link MAX_PAGE_LENGTH}: JSON can be six
 * times as long as the data, and a message has a limit.
 */
export function pageText(incarnation: string, entries: readonly Listed[], more: boolean): string {
  const texts: string[] = [];
  let length = 0;
  for (const entry of entries) {
    if (length > MAX_PAGE_LENGTH) break;
    const text = entryText(incarnation, entry.key, entry, entry.value);
    texts.push(text);
    length += text.length;
  }
  const last = entries[texts.length - 1];
  const goesOn = more || texts.length < entries.length;
  const cursor = goesOn && last !== undefined ? `,"cursor":"${encodeKeyCursor(incarnation, last.key)}"` : "";
  return `{"keys":[${texts.join(",")}]${cursor}}`;
}

/** The text of the same page from a draft, which has the entries' texts with marks in them. */
export function draftText(incarnation: string, { text, values, last }: PageDraft): string {
  const cursor = last === undefined ? "" : `,"cursor":"${encodeKeyCursor(incarnation, last)}"`;
  const pieces = text.split(TIME_MARK);
  for (let at = 1; at < pieces.length; at += 2) pieces[at] = timeText(Number(pieces[at]));
  const timed = `{"keys":[${pieces.join("")}]${cursor}}`;
  if (values.length === 0) return timed;
  const [first, ...others] = timed.split(VALUE_MARK);
  return others.reduce((whole, piece, at) => whole + valueText(values[at] as Value) + piece, first as string);
}

/**
 * The same text as {@link keptText} of {@link entryJson}, but without the objects in between: making a thousand of them
 * would take most of a page's time.
 */
export function entryText(incarnation: string, key: string, info: ShownInfo, value?: Value): string {
  const { revision, type, size, at, expires, metadata } = info;
  let text = `{"key":${JSON.stringify(key)},"revision":${revision},"etag":"${etag(incarnation, revision)}","type":${typeText(type)},"size":${size}`;
  if (at !== 0) text += `,"modified":"${timeText(at)}"`;
  if (expires !== null) text += `,"expires":"${new Date(expires).toISOString()}"`;
  if (metadata !== null) text += `,"metadata":${metadata}`;
  if (value !== undefined) text += valueText(value);
  return `${text}}`;
}

function valueText(value: Value): string {
  const json = toJson(value);
  return "value" in json ? `,"value":${JSON.stringify(json.value)}` : `,"base64":"${json.base64}"`;
}

const TEXT_TYPE_JSON = JSON.stringify(TEXT_TYPE);

/** The latest type and time that were written: entries next to each other often have the same. */
const latest = { type: "", typeText: `""`, at: 0, timeText: "" };

function typeText(type: string | null): string {
  if (type === null) return TEXT_TYPE_JSON;
  if (type !== latest.type) {
    latest.typeText = JSON.stringify(type);
    latest.type = type;
  }
  return latest.typeText;
}

function timeText(at: number): string {
  if (at !== latest.at) {
    latest.timeText = new Date(at).toISOString();
    latest.at = at;
  }
  return latest.timeText;
}
