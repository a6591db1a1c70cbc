/** Ranges of keys, in the order of their bytes. Pure. */

/** All conditions hold together. */
export interface KeyRange {
  readonly prefix?: string | undefined;
  /** The first key, included. */
  readonly start?: string | undefined;
  /** The end, not included. */
  readonly end?: string | undefined;
}

/** From the first of these, included, to the second, not included; undefined: to the very end. */
export function rangeOf({ prefix = "", start = "", end }: KeyRange): {
  readonly from: string;
  readonly to: string | undefined;
} {
  return { from: greatest(prefix, start), to: least(successor(prefix), end) };
}

/** The text behind all those that begin with `prefix`; undefined if there is none. */
export function successor(prefix: string): string | undefined {
  const points = Array.from(prefix);
  for (;;) {
    const last = points.pop()?.codePointAt(0);
    if (last === undefined) return undefined;
    if (last < 0x10_ffff) return points.join("") + String.fromCodePoint(last === 0xd7ff ? 0xe000 : last + 1);
  }
}

/** The one that comes last in the order of bytes. */
export function greatest(one: string, other: string | undefined): string {
  return other === undefined || !isBefore(one, other) ? one : other;
}

/** The one that comes first in the order of bytes; undefined stands behind all. */
export function least(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return isBefore(one, other) ? one : other;
}

/**
 * Whether one comes before the other as UTF-8. JavaScript compares UTF-16 units, in which what lies outside the
 * basic plane comes before its last characters.
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
