/** An entry as JSON: in lists, in what batches and transactions answer, in what watchers hear. Pure. */

import { TEXT_TYPE, toJson, type Value } from "../value.ts";
import { etag } from "./conditions.ts";
import type { EntryInfo } from "./entries.ts";

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
