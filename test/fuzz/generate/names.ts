/** Keys and names to draw from, few enough that requests meet, and the ways in which a path can write them. */

import fc from "fast-check";

export const KEYS = [
  "k",
  "milk",
  "a/b",
  "é",
  "😀",
  "a b",
  "100%",
  "a%2Fb",
  "..a",
  "\u0001\u007f\u0085",
  "\uFEFFx",
  "\u{10ffff}",
  '"q"',
  "x?y#z&w=1",
  "k".repeat(1_024),
] as const;

/** What is no key, or what only the query can carry. */
const ODD_KEYS = [".", "..", "", "nul\0", "k".repeat(1_025), "é".repeat(513)];

export const key: fc.Arbitrary<string> = fc.oneof(
  { weight: 24, arbitrary: fc.constantFrom(...KEYS.slice(0, 3)) },
  { weight: 6, arbitrary: fc.constantFrom(...KEYS) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 8 }) },
);

export const nearlyKey: fc.Arbitrary<string> = fc.oneof(
  { weight: 40, arbitrary: key },
  { weight: 1, arbitrary: fc.constantFrom(...ODD_KEYS) },
);

/** What a list may be cut at. */
export const prefix: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("", "k", "m", "a", "é", "😀", "\uFEFF", "zz", "\u{10ffff}", "\uD7FF", "\uE000"),
  key.map((text) => text.slice(0, 2).toWellFormed()),
);

/** One segment of a path that stands for a text; some are none. */
export function segmentOf(text: string, how: number): string {
  // A dot segment is tidied away by some, however it is written.
  if (text === "." || text === "..") return encodeURIComponent(text);
  switch (how) {
    case 0:
      return bytes(text, (byte) => `%${hex(byte).toUpperCase()}`);
    case 1:
      return bytes(text, (byte) => `%${hex(byte)}`);
    case 2:
      return encodeURIComponent(text).replaceAll(/%[0-9A-F]{2}/g, (one) => one.toLowerCase());
    default:
      return encodeURIComponent(text);
  }
}

export const BROKEN_SEGMENTS = ["%", "%zz", "%FF", "%ED%A0%80", "%C3", "%00", "%e2%82", "a%"];

function bytes(text: string, write: (byte: number) => string): string {
  return Array.from(Buffer.from(text), write).join("");
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
