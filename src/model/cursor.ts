/**
 * Cursors: the last name of the page before, so that what comes or goes between two pages neither skips nor doubles
 * anything else.
 */

import { KvError } from "./errors.ts";
import { decode64 } from "../lib/utf8.ts";

export function cursorOf(last: string): string {
  return new TextEncoder().encode(last).toBase64({ alphabet: "base64url", omitPadding: true });
}

/** What a cursor was made of. @throws {KvError} `cursor_invalid` */
export function behind(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const name = decode64(cursor);
  if (name !== undefined && name !== "") return name;
  throw new KvError("cursor_invalid", "This is no cursor of this listing. Begin again without one.");
}

/** Behind which key a list of one bucket goes on. */
export interface KeyPlace {
  readonly after?: string;
  /** Whose list it is: the next bucket of the name has other keys. Not said by cursors of the version before. */
  readonly incarnation?: string;
}

/** As {@link cursorOf}, for a list of keys. */
export function keyCursorOf(incarnation: string, last: string): string {
  return `${incarnation}.${cursorOf(last)}`;
}

/** As {@link behind}. @throws {KvError} `cursor_invalid` */
export function behindKey(cursor: string | undefined): KeyPlace {
  if (cursor === undefined) return {};
  const dot = cursor.indexOf(".");
  const after = behind(cursor.slice(dot + 1)) ?? "";
  return dot === -1 ? { after } : { after, incarnation: cursor.slice(0, dot) };
}
