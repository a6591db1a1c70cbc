/**
 * Cursors of listings. A cursor holds the last name of the previous page, so names that are added or removed between two
 * pages never make the listing skip or repeat another name.
 */

import { KvError } from "./errors.ts";
import { decode64 } from "../lib/utf8.ts";

/** Encodes the last name of a page as a cursor: base64url without padding. */
export function encodeCursor(last: string): string {
  return new TextEncoder().encode(last).toBase64({ alphabet: "base64url", omitPadding: true });
}

/** Decodes a cursor of {@link encodeCursor}; undefined for no cursor. @throws {KvError} `cursor_invalid` */
export function decodeCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const name = decode64(cursor);
  if (name !== undefined && name !== "") return name;
  throw new KvError(
    "cursor_invalid",
    "This cursor does not belong to this listing. Start again without a cursor.",
  );
}

/** The position at which a list of keys continues. */
export interface KeyPlace {
  /** The last key of the previous page. */
  readonly after?: string;
  /**
   * The incarnation of the listed bucket: a later bucket of the same name has other keys. Missing in cursors of the
   * previous version.
   */
  readonly incarnation?: string;
}

/** Encodes the last key of a page as a cursor: the incarnation, a dot, and the cursor of {@link encodeCursor}. */
export function encodeKeyCursor(incarnation: string, last: string): string {
  return `${incarnation}.${encodeCursor(last)}`;
}

/** Decodes a cursor of {@link encodeKeyCursor}. @throws {KvError} `cursor_invalid` */
export function decodeKeyCursor(cursor: string | undefined): KeyPlace {
  if (cursor === undefined) return {};
  const dot = cursor.indexOf(".");
  const after = decodeCursor(cursor.slice(dot + 1)) ?? "";
  return dot === -1 ? { after } : { after, incarnation: cursor.slice(0, dot) };
}
