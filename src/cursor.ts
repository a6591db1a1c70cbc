/**
 * Cursors: the last name of the page before, so that what comes or goes between two pages neither skips nor doubles
 * anything else.
 */

import { KvError } from "./errors.ts";
import { decode64 } from "./utf8.ts";

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
