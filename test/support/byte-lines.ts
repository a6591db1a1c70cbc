/** Lines of the text protocol made of any bytes, and what has to come of them. */

import fc from "fast-check";
import { key as checkedKey } from "../../src/model/validators.ts";
import { decodeUtf8 } from "../../src/lib/utf8.ts";
import { anyText } from "./any-text.ts";

/** One `PUT bucket key value`. */
export interface BytePut {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

const encoder = new TextEncoder();
const [TAB, LF, SPACE, QUOTE] = [0x09, 0x0a, 0x20, 0x22];

export function join(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  return new Uint8Array(
    parts.flatMap((part) => [...(typeof part === "string" ? encoder.encode(part) : part)]),
  );
}

/** The lines, one for each put. */
export function putLines(bucket: string, puts: readonly BytePut[]): Uint8Array {
  return join(...puts.flatMap(({ key, value }) => [`PUT ${bucket} `, key, " ", value, "\r\n"]));
}

/** The key that the bytes stand for; undefined if they can be none. */
export function keyOf(bytes: Uint8Array): string | undefined {
  const text = decodeUtf8(bytes);
  try {
    return text === undefined ? undefined : checkedKey(text);
  } catch {
    return undefined;
  }
}

/** The values that a bucket has behind these lines, by key. */
export function expected(puts: readonly BytePut[]): Map<string, Uint8Array> {
  const values = new Map<string, Uint8Array>();
  for (const { key, value } of puts) {
    const name = keyOf(key);
    if (name !== undefined) values.set(name, value);
  }
  return values;
}

/** Every byte that a word can have, in a value and in a key of its own, among lines that are UTF-8. */
export const EVERY_BYTE: readonly BytePut[] = Array.from({ length: 256 }, (_, byte) => byte)
  .filter((byte) => byte !== TAB && byte !== LF && byte !== SPACE)
  .flatMap((byte) => [
    { key: join(`value ${byte}`.replace(" ", "-")), value: join("v", new Uint8Array([byte]), "v") },
    { key: join("key-", new Uint8Array([byte])), value: join("é😀") },
    { key: join(`é-${byte}`), value: join("plain 😀".replace(" ", "-")) },
  ]);

const word = (): fc.Arbitrary<Uint8Array> =>
  fc
    .oneof(
      fc.uint8Array({ minLength: 1, maxLength: 12 }),
      fc.uint8Array({ minLength: 1, maxLength: 12, min: 0x80 }),
      anyText({ minLength: 1, maxLength: 6 }).map(join),
    )
    .map((bytes) => bytes.map((byte) => (byte === TAB || byte === LF || byte === SPACE ? 0x9f : byte)))
    // What begins with a quote is written with JSON's escapes, and has tests of its own.
    .filter((bytes) => bytes[0] !== QUOTE);

/** Some lines: UTF-8 and not, side by side. */
export const puts: fc.Arbitrary<BytePut[]> = fc.array(fc.record({ key: word(), value: word() }), {
  minLength: 1,
  maxLength: 8,
});

/** Cuts bytes at these places, as a stream may. */
export function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [
    0,
    ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b),
    bytes.length,
  ];
  return sorted
    .slice(1)
    .map((place, index) => bytes.slice(sorted[index], place))
    .filter(({ length }) => length > 0);
}
