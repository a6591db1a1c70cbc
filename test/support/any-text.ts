/**
 * Texts of any characters. As `fc.string({ unit: "binary" })`, which takes more than a second to be made, in each file, and
 * with more of those characters that are often treated differently.
 */

import fc from "fast-check";

export interface AnyTextOptions {
  /** In code points. */
  readonly minLength?: number;
  /** In code points; 10 if left out. */
  readonly maxLength?: number;
  /** Whether it may have halves of surrogate pairs: then it is not well-formed. */
  readonly halves?: boolean;
}

const range = (min: number, max: number) => fc.integer({ min, max });
const ASCII = range(0, 0x7f);
const LATIN = range(0x80, 0xff);
const BEFORE_SURROGATES = range(0x100, 0xd7ff);
const BEHIND_SURROGATES = range(0xe000, 0xffff);
const ASTRAL = range(0x10000, 0x10ffff);
const HALF = range(0xd800, 0xdfff);

export function anyText({ minLength = 0, maxLength = 10, halves = false }: AnyTextOptions = {}) {
  const whole = [ASCII, ASCII, LATIN, BEFORE_SURROGATES, BEHIND_SURROGATES, ASTRAL];
  return fc
    .array(fc.oneof(...whole, ...(halves ? [HALF] : [])), { minLength, maxLength })
    .map((points) => String.fromCodePoint(...points));
}
