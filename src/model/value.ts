/** Values: bytes, stored as text if they arrived as text. */

import { decodeUtf8 } from "../lib/utf8.ts";

/**
 * A value's bytes. A string stands for its UTF-8 bytes: the text protocol passes values as strings, and storing them as
 * strings saves a conversion on each write and read. Callers can never see which of the two forms is stored.
 */
export type Value = string | ArrayBuffer;

/** The value as text; undefined if its bytes are not UTF-8. */
export function textOf(value: Value): string | undefined {
  return typeof value === "string" ? value : decodeUtf8(value);
}

/** The content type of text that was stored without one. */
export const TEXT_TYPE = "text/plain; charset=utf-8";
/** The content type of bytes that were stored without one. */
export const BYTES_TYPE = "application/octet-stream";

/** A value in JSON: as text, or in base64 if its bytes are not UTF-8. */
export type JsonValue = { readonly value: string } | { readonly base64: string };

/** The members that carry a value in JSON. */
export function toJson(value: Value): JsonValue {
  const text = textOf(value);
  return text === undefined ? { base64: base64Of(value) } : { value: text };
}

/** The length of {@link toJson}'s string in JSON, in characters. Ten times cheaper than escaping a value of a megabyte. */
export function jsonLengthOf(value: Value): number {
  const json = toJson(value);
  return 2 + ("value" in json ? escapedLength(json.value) : json.base64.length);
}

/** Follows ECMA-262's QuoteJSONString. A value is well-formed, so it has no lone surrogates. */
function escapedLength(text: string): number {
  let length = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22 || code === 0x5c) length += 1;
    // Backspace, tab, line feed, form feed and carriage return escape to `\n` and alike; the others to `\u` and four
    // digits.
    else if (code < 0x20) length += code >= 0x08 && code <= 0x0d && code !== 0x0b ? 1 : 5;
  }
  return length;
}

/** The value's bytes. */
export function bytesOf(value: Value): Uint8Array {
  return typeof value === "string" ? encoder.encode(value) : new Uint8Array(value);
}

/** The value's bytes in base64. */
export function base64Of(value: Value): string {
  return bytesOf(value).toBase64();
}

/** Bytes of a value, or characters if it is text: known at once, for limits that need not be exact. */
export function lengthOf(value: Value): number {
  return typeof value === "string" ? value.length : value.byteLength;
}

/** Bytes of a value in a message. V8 writes one byte a character if all of them are Latin-1, otherwise two. */
export function sentBytes(value: Value): number {
  if (typeof value !== "string") return value.byteLength;
  return /^[\x00-\xff]*$/.test(value) ? value.length : value.length * 2;
}

/** Whether two values have the same bytes. */
export function sameBytes(one: Value, other: Value): boolean {
  return compareBytes(one, other) === 0;
}

/** Compares the bytes of two values: below 0 if `one` is smaller, 0 if they are equal, above 0 if `one` is greater. */
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
