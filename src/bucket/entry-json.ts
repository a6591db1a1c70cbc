/** An entry as JSON: in lists, in what batches and transactions answer, in what watchers hear. Pure. */

import { cursorOf } from "../cursor.ts";
import { MAX_PAGE_LENGTH } from "../limits.ts";
import { TEXT_TYPE, toJson, type Value } from "../value.ts";
import { etag } from "./conditions.ts";
import type { EntryInfo, Listed } from "./entries.ts";

export interface EntryJson {
  readonly key: string;
  readonly revision: number;
  readonly etag: string;
  /** The content type. */
  readonly type: string;
  /** Bytes of the value. */
  readonly size: number;
  /** When it was put (RFC 3339). */
  readonly modified?: string;
  /** RFC 3339; left out: never. */
  readonly expires?: string;
  readonly metadata?: unknown;
  /** The value, if it was asked for and is small enough, as text … */
  readonly value?: string;
  /** … or, where its bytes are no UTF-8, in base64. */
  readonly base64?: string;
}

/** @param value left out where it was not asked for, or is too large to travel with others. */
export function entryJson(
  incarnation: string,
  key: string,
  info: Pick<EntryInfo, "revision" | "type" | "size" | "expires" | "at" | "metadata">,
  value?: Value,
): EntryJson {
  const { revision, type, size, expires, at, metadata } = info;
  return {
    key,
    revision,
    etag: etag(incarnation, revision),
    type: type ?? TEXT_TYPE,
    size,
    ...(at === 0 ? {} : { modified: new Date(at).toISOString() }),
    ...(expires === null ? {} : { expires: new Date(expires).toISOString() }),
    ...(metadata === null ? {} : { metadata: JSON.parse(metadata) as unknown }),
    ...(value === undefined ? {} : toJson(value)),
  };
}

/** A page of a list. */
export interface KeysPage {
  readonly keys: readonly EntryJson[];
  /** There are more: send it back for the next page. */
  readonly cursor?: string;
}

/**
 * The text of a {@link KeysPage}. It ends where it grows too long: JSON can be six times as long as what it says, and a
 * message has a limit.
 */
export function pageText(incarnation: string, entries: readonly Listed[], more: boolean): string {
  const texts: string[] = [];
  let length = 0;
  for (const { key, value, ...info } of entries) {
    if (length > MAX_PAGE_LENGTH) break;
    const text = JSON.stringify(entryJson(incarnation, key, info, value));
    texts.push(text);
    length += text.length;
  }
  const last = entries[texts.length - 1];
  const goesOn = more || texts.length < entries.length;
  const cursor = goesOn && last !== undefined ? `,"cursor":"${cursorOf(last.key)}"` : "";
  return `{"keys":[${texts.join(",")}]${cursor}}`;
}
