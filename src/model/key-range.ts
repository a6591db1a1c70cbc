/** Ranges of keys, in the order of their UTF-8 bytes. Pure. */

import type { RangeJson } from "../contract/entries.ts";

/** A range of keys, the same inside the service as in its API. */
export type KeyRange = RangeJson;

/** The bounds of a range: `from` is included, `to` is excluded; undefined: no upper bound. */
export function rangeOf({ prefix = "", start = "", end }: KeyRange): {
  readonly from: string;
  readonly to: string | undefined;
} {
  return { from: greatest(prefix, start), to: least(successor(prefix), end) };
}

/** The smallest text that is greater than every text with this prefix; undefined if there is none. */
export function successor(prefix: string): string | undefined {
  const points = Array.from(prefix);
  for (;;) {
    const last = points.pop()?.codePointAt(0);
    if (last === undefined) return undefined;
    if (last < 0x10_ffff) return points.join("") + String.fromCodePoint(last === 0xd7ff ? 0xe000 : last + 1);
  }
}

/** The greater one in the order of bytes; undefined is less than every text. */
export function greatest(one: string, other: string | undefined): string {
  return other === undefined || !isBefore(one, other) ? one : other;
}

/** The smaller one in the order of bytes; undefined is greater than every text. */
export function least(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return isBefore(one, other) ? one : other;
}

/**
 * Whether `one` precedes `other` as UTF-8. JavaScript compares UTF-16 units, where characters outside the basic plane
 * (surrogate pairs, from U+D800) precede U+E000 to U+FFFF.
 */
export function isBefore(one: string, other: string): boolean {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at += 1) {
    const [a, b] = [one.charCodeAt(at), other.charCodeAt(at)];
    if (a !== b) return isSurrogate(a) === isSurrogate(b) ? a < b : isSurrogate(b);
  }
  return one.length < other.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
