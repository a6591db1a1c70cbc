/**
 * A JSON parser that never changes a number, and parses long texts in pieces so that other requests run in between.
 *
 * A long array or object is split at its own commas. Members that are short are parsed together in runs; a long member is
 * split in turn, down to {@link MAX_DEPTH} levels.
 */

import { breath } from "../lib/breath.ts";
import { KvError } from "../model/errors.ts";
import { isEscaped, KeptJson, stringEnd } from "../model/kept-json.ts";
import { isFree, parseKeeping } from "./kept-members.ts";

/** Characters that are parsed at once: a few milliseconds of work. */
const PIECE = 262_144;
/** Characters of one value at {@link MAX_DEPTH} that are parsed at once, because it is nested deeper than requests are. */
const MAX_DEEP_PIECE = 8 * 1_048_576;
/** Members of an object in a long text at most: building an object with a million members takes seconds. */
const MAX_MEMBERS = 50_000;
/** Characters of the name of a long member at most. */
const MAX_NAME = 4_096;
/** Characters of the longest number: a double has up to 309 digits before the point and 324 after it; with a margin. */
const MAX_NUMBER = 1_000;
/** Levels at which a long text is split. The values of a transaction's operations are at level 4. */
const MAX_DEPTH = 6;

/**
 * Matches a text that may have a number that a double can't hold. Checking each number costs more than parsing, so it
 * is done only then.
 */
const LONG_NUMBER = /(?:^|[:[,\s])-?(?:\d{16}|\d+(?:\.\d+)?[eE](?:\+?\d|-\d{3})|\d+\.\d{200})/;
const BLANK = /^[ \t\r\n]*$/;

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * As `JSON.parse`, but refuses numbers that a double would change: integers that become other integers, numbers that
 * become infinite, and numbers other than zero that become zero.
 * @throws {SyntaxError} if it is not JSON
 * @throws {KvError} `body_invalid` if it has such a number
 */
export function parseExactly(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (LONG_NUMBER.test(text)) checkNumbers(text);
  return value;
}

/** As {@link parseExactly}, with a {@link KeptJson} for each outermost `json` and `metadata` member. */
export function parseRequest(text: string): unknown {
  return parseKeeping(text, parseExactly);
}

/**
 * As {@link parseRequest}, but parses a long text in pieces, so other requests run in between.
 * @throws {SyntaxError}
 * @throws {KvError} `body_invalid`
 */
export async function parseInPieces(text: string): Promise<unknown> {
  return text.length <= PIECE ? parseRequest(text) : parsePart(text, 0, parseRequest);
}

/** One element of a list: its value, or its text and the error in it. */
export type Element = { readonly value: unknown } | { readonly text: string; readonly error: KvError };

/**
 * The elements of a JSON array, each parsed as by {@link parseInPieces}. An error in one does not affect the others.
 * @returns undefined if the text is not an array, or has more than `limit` elements
 * @throws {SyntaxError} if it is not JSON
 */
export async function parseElements(text: string, limit: number): Promise<Element[] | undefined> {
  try {
    const list = await parseInPieces(text);
    if (!Array.isArray(list) || list.length > limit) return undefined;
    return list.map((value: unknown) => ({ value }));
  } catch (error) {
    if (!(error instanceof KvError)) throw error;
  }
  const begin = text.search(/[^ \t\r\n]/);
  if (text.charCodeAt(begin) !== OPEN_ARRAY) return undefined;
  const elements: Element[] = [];
  for await (const element of membersOf(text, begin)) {
    if (elements.length === limit) return undefined;
    elements.push(await parseElement(element));
  }
  return elements;
}

async function parseElement(text: string): Promise<Element> {
  try {
    return { value: await parseInPieces(text) };
  } catch (error) {
    if (!(error instanceof KvError)) throw error;
    return { text, error };
  }
}

/** The texts of the members of an array or object. @param begin the position of its bracket @throws {SyntaxError} */
export async function* membersOf(text: string, begin: number): AsyncGenerator<string, void, void> {
  const scan = new Scan(text, begin + 1);
  for (let from = begin + 1; ;) {
    const at = scan.next();
    const pause = breath.takeBytes(at === undefined ? PIECE : 0);
    if (pause !== undefined) await pause;
    if (at === undefined) continue;
    yield text.slice(from, at.index);
    from = at.index + 1;
    if (at.closing === undefined) continue;
    if (!BLANK.test(text.slice(from))) throw new SyntaxError("text after the end");
    return;
  }
}

type Parse = (text: string) => unknown;

/** Parses one value. @param parse parses a text that is short enough */
async function parsePart(text: string, depth: number, parse: Parse): Promise<unknown> {
  if (text.length <= PIECE) return parsePiece(text, parse);
  const begin = text.search(/[^ \t\r\n]/);
  const opening = text.charCodeAt(begin);
  if (opening !== OPEN_ARRAY && opening !== OPEN_OBJECT) {
    if ((opening === MINUS || isDigit(opening)) && text.trim().length > MAX_NUMBER) throw tooManyDigits();
    return parsePiece(text, parse);
  }
  if (depth === MAX_DEPTH) {
    if (text.length <= MAX_DEEP_PIECE) return parsePiece(text, parse);
    throw new KvError(
      "body_invalid",
      `A value nested ${MAX_DEPTH} or more levels deep has at most ${MAX_DEEP_PIECE} characters.`,
    );
  }
  const members = { begin, depth, parse };
  return opening === OPEN_ARRAY ? parseArray(text, members) : parseObject(text, members);
}

async function parsePiece(text: string, parse: Parse): Promise<unknown> {
  const pause = breath.takeJson(text.length);
  if (pause !== undefined) await pause;
  return parse(text);
}

interface Members {
  /** The position of the opening bracket. */
  readonly begin: number;
  readonly depth: number;
  readonly parse: Parse;
}

async function parseArray(text: string, { begin, depth, parse }: Members): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const { part, alone } of partsOf(text, begin)) {
    if (alone) all.push(await parsePart(part, depth + 1, parse));
    else for (const value of (await parsePiece(`[${part}]`, parse)) as unknown[]) all.push(value);
  }
  return all;
}

async function parseObject(text: string, { begin, depth, parse }: Members): Promise<Record<string, unknown>> {
  // Collected as entries, because assigning `__proto__`, a valid name in JSON, would set the prototype.
  const all: [string, unknown][] = [];
  for await (const { part, alone } of partsOf(text, begin)) {
    if (all.length > MAX_MEMBERS) throw tooManyMembers();
    const colon = alone ? colonOf(part) : -1;
    if (alone && colon === -1)
      throw new KvError("body_invalid", `The name of a member has at most ${MAX_NAME} characters.`);
    if (colon === -1) {
      all.push(...Object.entries((await parsePiece(`{${part}}`, parse)) as Record<string, unknown>));
    } else {
      const name = part.slice(0, colon).trim();
      const value = part.slice(colon + 1);
      const keeps = parse === parseRequest && isFree(name);
      const parsed = await parsePart(value, depth + 1, keeps ? parseExactly : parse);
      all.push([JSON.parse(name) as string, keeps ? new KeptJson(value) : parsed]);
    }
  }
  return Object.fromEntries(all);
}

function tooManyMembers(): KvError {
  return new KvError("body_invalid", `In a long body an object has at most ${MAX_MEMBERS} members.`);
}

function tooManyDigits(): KvError {
  return new KvError("body_invalid", `A number has at most ${MAX_NUMBER} characters.`);
}

/** One long member of an array or object (`alone`), or a run of short ones. */
interface Part {
  readonly part: string;
  readonly alone: boolean;
}

/** Splits an array or object into parts. @throws {SyntaxError} if its commas or brackets are wrong */
async function* partsOf(text: string, begin: number): AsyncGenerator<Part, void, void> {
  const scan = new Scan(text, begin + 1);
  let from = begin + 1;
  let last = -1;
  let breathed = from;
  for (;;) {
    const at = scan.next();
    const index = at?.index ?? breathed + PIECE;
    if (index - breathed >= PIECE) {
      const pause = breath.takeBytes(index - breathed);
      if (pause !== undefined) await pause;
      breathed = index;
    }
    if (at === undefined) continue;
    const closes = at.closing !== undefined;
    // A run ends before the member that makes it too long.
    if (at.index - from > PIECE && last > from) {
      yield partOf(text, from, last);
      from = last + 1;
    }
    if (closes || at.index - from > PIECE) {
      const empty = closes && from === begin + 1 && BLANK.test(text.slice(from, at.index));
      if (!empty) yield partOf(text, from, at.index);
      from = at.index + 1;
    }
    last = at.index;
    if (!closes) continue;
    const matches = at.closing === (text.charCodeAt(begin) === OPEN_ARRAY ? CLOSE_ARRAY : CLOSE_OBJECT);
    if (!matches || !BLANK.test(text.slice(at.index + 1))) throw new SyntaxError("brackets do not match");
    return;
  }
}

function partOf(text: string, from: number, to: number): Part {
  const found = text.slice(from, to);
  if (BLANK.test(found)) throw new SyntaxError("an extra comma");
  return { part: found, alone: found.length > PIECE };
}

/** Scans an array or object for its own commas and its closing bracket; skips strings and nested values. */
class Scan {
  readonly #text: string;
  #at: number;
  #depth = 0;
  #inString = false;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
  }

  /**
   * @returns the next comma or the closing bracket; undefined if there is none in the next {@link PIECE} characters
   * @throws {SyntaxError} if the text ends before the closing bracket
   */
  next(): { readonly index: number; readonly closing?: number } | undefined {
    const text = this.#text;
    let at = this.#at;
    const stop = Math.min(text.length, at + PIECE);
    while (at < stop) {
      if (this.#inString) {
        at = this.#afterString(at, stop);
        continue;
      }
      const index = at;
      const code = text.charCodeAt(index);
      at += 1;
      if (code === QUOTE) this.#inString = true;
      else if (code === OPEN_ARRAY || code === OPEN_OBJECT) this.#depth += 1;
      else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) {
        if (this.#depth === 0) {
          this.#at = at;
          return { index, closing: code };
        }
        this.#depth -= 1;
      } else if (code === COMMA && this.#depth === 0) {
        this.#at = at;
        return { index };
      }
    }
    this.#at = at;
    if (at >= text.length) throw new SyntaxError("the text ends too early");
    return undefined;
  }

  /**
   * Goes from quote to quote, because a string may be megabytes long, and each level of a request is scanned.
   * @param at a position in a string, not in the middle of an escape
   * @returns the position after the string's end; or one within it, likewise, if there are many escaped quotes
   */
  #afterString(at: number, stop: number): number {
    const text = this.#text;
    let from = at;
    while (from < stop) {
      const quote = text.indexOf('"', from);
      if (quote === -1) return text.length;
      from = quote + 1;
      if (!isEscaped(text, quote)) {
        this.#inString = false;
        return from;
      }
    }
    return from;
  }
}

/** The position of the colon after a member's name; -1 if the member does not begin with a name and a colon. */
function colonOf(member: string): number {
  const name = /^[ \t\r\n]*"(?:[^"\\]|\\.){0,4096}"[ \t\r\n]*:/.exec(member);
  return name === null ? -1 : name[0].length - 1;
}

/** Checks each number of a valid JSON text. @throws {KvError} `body_invalid` */
function checkNumbers(text: string): void {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = stringEnd(text, at) - 1;
    } else if (code === MINUS || isDigit(code)) {
      const begin = at;
      while (isOfNumber(text.charCodeAt(at + 1))) at += 1;
      const source = text.slice(begin, at + 1);
      if (source.length > MAX_NUMBER) throw tooManyDigits();
      if (!isKept(Number(source), source)) {
        throw new KvError("body_invalid", `The number ${source} can't be stored exactly. Send it as text.`);
      }
    }
  }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Whether a character may be part of a number: a digit, a point, an exponent or its sign. */
function isOfNumber(code: number): boolean {
  return isDigit(code) || code === 0x2e || code === 0x65 || code === 0x45 || code === 0x2b || code === MINUS;
}

/**
 * Whether a double keeps a number exactly. Beyond 2^53, JavaScript prints the fewest digits that identify a double; a
 * number written with these digits, or with all digits of the double, is kept.
 */
function isKept(value: number, source: string): boolean {
  if (!Number.isFinite(value)) return false;
  if (value === 0) return !/[1-9]/.test(source.split(/[eE]/, 1)[0] ?? "");
  if (Number.isSafeInteger(value) || !Number.isInteger(value)) return true;
  const given = decimalOf(source);
  return given === decimalOf(String(value)) || given === decimalOf(String(BigInt(value)));
}

/** A number's significant digits and exponent, in one form for all ways of writing it. */
function decimalOf(source: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE](.+))?$/.exec(source) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}
