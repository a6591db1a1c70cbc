/** A value: bytes, kept as text where they came as text. */

import { decodeUtf8 } from "../lib/utf8.ts";

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

/** A value as JSON carries it: as text, or, where its bytes are no UTF-8, in base64. */
export type JsonValue = { readonly value: string } | { readonly base64: string };

export function toJson(value: Value): JsonValue {
  const text = textOf(value);
  return text === undefined ? { base64: base64Of(value) } : { value: text };
}

/** How many characters of JSON {@link toJson} gives, without giving it: to escape a megabyte costs ten times as much. */
export function jsonLengthOf(value: Value): number {
  const json = toJson(value);
  return 2 + ("value" in json ? escapedLength(json.value) : json.base64.length);
}

/** By ECMA-262's QuoteJSONString; a value is well-formed, so half of a surrogate pair does not come up. */
function escapedLength(text: string): number {
  let length = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22 || code === 0x5c) length += 1;
    // Backspace, tab, line feed, form feed and carriage return have a letter; the others have four digits.
    else if (code < 0x20) length += code >= 0x08 && code <= 0x0d && code !== 0x0b ? 1 : 5;
  }
  return length;
}

export function bytesOf(value: Value): Uint8Array {
  return typeof value === "string" ? encoder.encode(value) : new Uint8Array(value);
}

/** The value's bytes in base64. */
export function base64Of(value: Value): string {
  return bytesOf(value).toBase64();
}

/** What a value takes up in a message: V8 writes text as a byte a character where all are Latin-1, else as two. */
export function sentBytes(value: Value): number {
  if (typeof value !== "string") return value.byteLength;
  return /^[\x00-\xff]*$/.test(value) ? value.length : value.length * 2;
}

/** Whether two values have the same bytes. */
export function sameBytes(one: Value, other: Value): boolean {
  return compareBytes(one, other) === 0;
}

/** Below 0, 0, above 0: as the bytes of one come before, are, or come behind those of the other. */
export function compareBytes(one: Value, other: Value): number {
  if (one === other) return 0;
  const [a, b] = [bytesOf(one), bytesOf(other)];
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const difference = (a[at] as number) - (b[at] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

const encoder = new TextEncoder();
