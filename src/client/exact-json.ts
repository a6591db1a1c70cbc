/** JSON that is read as what was written: integers beyond 2^53 are bigints. */

import { stringEnd } from "./json-string.ts";

/** Characters of a number that may be beyond 2^53, or so small that it is 0, without an exponent. */
const LONG = 16;

const QUOTE = 0x22;
const MINUS = 0x2d;

/**
 * As `JSON.parse`; but an integer beyond 2^53 that is written in digits alone is a bigint.
 * @throws {SyntaxError} if it is no JSON
 * @throws {RangeError} for a number that would become infinite, or 0
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  const bigints: LongNumber[] = [];
  for (const number of longNumbers(text)) if (isBigint(number.source)) bigints.push(number);
  if (bigints.length === 0) return value;
  // The platform parses it again, with each bigint as a text that no other text in it begins with.
  const mark = markIn(text);
  const parts: string[] = [];
  let from = 0;
  for (const { begin, source } of bigints) {
    parts.push(text.slice(from, begin), `"${escaped(mark)}${source}"`);
    from = begin + source.length;
  }
  return unmarked(JSON.parse(parts.join("") + text.slice(from)), mark);
}

export interface LongNumber {
  /** Where it is in the text. */
  readonly begin: number;
  /** As it is written. */
  readonly source: string;
}

/** The numbers that are as long as one has to be that a double does not hold, in what is known to be JSON. */
export function* longNumbers(text: string): Generator<LongNumber, void, void> {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = stringEnd(text, at) - 1;
    } else if (code === MINUS || isDigit(code)) {
      const begin = at;
      let isLong = false;
      for (; isOfNumber(text.charCodeAt(at + 1)); at += 1) isLong ||= isExponent(text.charCodeAt(at + 1));
      if (isLong || at + 1 - begin >= LONG) yield { begin, source: text.slice(begin, at + 1) };
    }
  }
}

/** Zeros, and more of them than stand together in the text: in JSON they are always escaped, and always in this way. */
function markIn(text: string): string {
  let mark = "\0";
  while (text.includes(escaped(mark))) mark += mark;
  return mark;
}

function escaped(mark: string): string {
  return String.raw`\u0000`.repeat(mark.length);
}

/** Puts the bigints in their places: with a list of its own, for what is nested deeper than calls may be. */
function unmarked(root: unknown, mark: string): unknown {
  const bigint = (value: unknown): bigint | undefined =>
    typeof value === "string" && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : undefined;
  const left: object[] = [];
  const look = (value: unknown): void => {
    if (typeof value === "object" && value !== null) left.push(value);
  };
  look(root);
  for (let of = left.pop(); of !== undefined; of = left.pop()) {
    if (Array.isArray(of)) {
      for (let index = 0; index < of.length; index += 1) {
        const member: unknown = of[index];
        const value = bigint(member);
        if (value === undefined) look(member);
        else of[index] = value;
      }
      continue;
    }
    for (const [name, member] of Object.entries(of)) {
      const value = bigint(member);
      if (value === undefined) look(member);
      // Not by assignment: `__proto__` is a name like any other in JSON.
      else Object.defineProperty(of, name, { value, configurable: true, enumerable: true, writable: true });
    }
  }
  return bigint(root) ?? root;
}

/** Whether a number is to be read as a bigint. @throws {RangeError} if it can't be read */
function isBigint(source: string): boolean {
  const value = Number(source);
  if (value === 0 && /[1-9]/.test(source.replace(/[eE].*/, ""))) throw outOfRange(source);
  if (Number.isSafeInteger(value)) return false;
  if (/^-?\d+$/.test(source)) return true;
  if (!Number.isFinite(value)) throw outOfRange(source);
  return false;
}

function outOfRange(source: string): RangeError {
  return new RangeError(`No number of JavaScript's is ${source.slice(0, 40)}.`);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isExponent(code: number): boolean {
  return code === 0x65 || code === 0x45;
}

/** A digit, a point, an exponent or its sign. */
function isOfNumber(code: number): boolean {
  return isDigit(code) || code === 0x2e || isExponent(code) || code === 0x2b || code === MINUS;
}
