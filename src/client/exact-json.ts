/** A JSON parser that keeps integers exact: those beyond 2^53 become bigints. */

import { stringEnd } from "./json-string.ts";

/** Minimum length of a number without an exponent that may be beyond 2^53, or so small that a double rounds it to 0. */
const LONG = 16;

const QUOTE = 0x22;
const MINUS = 0x2d;

/**
 * Like `JSON.parse`, but an integer beyond 2^53 that is written without point and exponent becomes a bigint.
 * @throws {SyntaxError} if `text` is not JSON
 * @throws {RangeError} for a number that a double would turn into infinity or 0
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  const bigints: LongNumber[] = [];
  for (const number of longNumbers(text)) if (isBigint(number.source)) bigints.push(number);
  if (bigints.length === 0) return value;
  // Parse again, with each bigint replaced by a string whose prefix no other string in the text has.
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
  /** Its index in the text. */
  readonly begin: number;
  /** The number as written. */
  readonly source: string;
}

/** Finds the numbers that are long enough to exceed a double's precision. @param text valid JSON */
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

/** A prefix of NUL characters, longer than any such run in the text. JSON has one way only to write them: escaped. */
function markIn(text: string): string {
  let mark = "\0";
  while (text.includes(escaped(mark))) mark += mark;
  return mark;
}

function escaped(mark: string): string {
  return String.raw`\u0000`.repeat(mark.length);
}

/** Replaces the marked strings by bigints. Not recursive, so that deep nesting can't overflow the stack. */
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
      // Not an assignment: JSON may have a member `__proto__`.
      else Object.defineProperty(of, name, { value, configurable: true, enumerable: true, writable: true });
    }
  }
  return bigint(root) ?? root;
}

/** Whether the number must become a bigint. @throws {RangeError} if neither a double nor a bigint can hold it */
function isBigint(source: string): boolean {
  const value = Number(source);
  if (value === 0 && /[1-9]/.test(source.replace(/[eE].*/, ""))) throw outOfRange(source);
  if (Number.isSafeInteger(value)) return false;
  if (/^-?\d+$/.test(source)) return true;
  if (!Number.isFinite(value)) throw outOfRange(source);
  return false;
}

function outOfRange(source: string): RangeError {
  return new RangeError(`JavaScript can't represent the number ${source.slice(0, 40)}.`);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isExponent(code: number): boolean {
  return code === 0x65 || code === 0x45;
}

/** Whether the character can be inside a number: a digit, a point, an exponent or its sign. */
function isOfNumber(code: number): boolean {
  return isDigit(code) || code === 0x2e || isExponent(code) || code === 0x2b || code === MINUS;
}
