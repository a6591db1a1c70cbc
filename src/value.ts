/** A value: bytes, kept as text where they came as text. */

import { decodeUtf8 } from "./utf8.ts";

/**
 * A value's bytes. A string stands for its UTF-8; the text protocol hands values over as strings, and
 * keeping them so spares a conversion on the way in and on the way out. Which of the two it is can never be
 * seen from outside.
 */
export type Value = string | ArrayBuffer;

/** The value as text, or undefined if its bytes are no UTF-8. */
export function textOf(value: Value): string | undefined {
  return typeof value === "string" ? value : decodeUtf8(value);
}

/** What a value is served as that was stored as text, without a content type. */
export const TEXT_TYPE = "text/plain; charset=utf-8";
/** What bytes are served as that were stored without a content type. */
export const BYTES_TYPE = "application/octet-stream";
