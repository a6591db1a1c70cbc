/** JSON, read without changing a number, and in pieces where it is long. */

import { breath } from "../lib/breath.ts";
import { KvError } from "../model/errors.ts";
import { KeptJson, stringEnd } from "../model/kept-json.ts";
import { isFree, parseKeeping } from "./kept-members.ts";

/** Characters that are parsed at once: some milliseconds. */
const PIECE = 262_144;
/** Characters of one value in a long text that are parsed at once all the same, where it is nested deeper than requests are. */
const MAX_DEEP_PIECE = 8 * 1_048_576;
/** Members of an object in a long text: to make one of a million takes seconds. */
const MAX_MEMBERS = 50_000;
/** Characters of the name of a long member. */
const MAX_NAME = 4_096;
/** Characters of the longest number: a double's 309 digits before the point, 324 behind, and some. */
const MAX_NUMBER = 1_000;
/** How deep a long text is taken apart: a transaction's operations' values are at 4. */
const MAX_DEPTH = 6;

/** Where a number may stand that a double can't hold: to look at each number costs more than to parse. */
const LONG_NUMBER = /(?:^|[:[,\s])-?(?:\d{16}|\d+(?:\.\d+)?[eE](?:\+?\d|-\d{3})|\d+\.\d{200})/;
const BLANK = /^[ \t\r\n]*$/;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const MINUS = 0x2d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * As `JSON.parse`, but it refuses integers that would come back as others, what would be infinite, and what would be
 * nothing though it is not.
 * @throws {SyntaxError}
 * @throws {KvError} `body_invalid`
 */
export function parseExactly(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (LONG_NUMBER.test(text)) checkNumbers(text);
  return value;
}

/** As {@link parseExactly}, with a {@link KeptJson} for each `json` and `metadata` that is not inside of another. */
export function parseRequest(text: string): unknown {
  return parseKeeping(text, parseExactly);
}

/**
 * As {@link parseRequest}; a long text in pieces, between which others are let in.
 * @throws {SyntaxError}
 * @throws {KvError} `body_invalid`
 */
export async function parseInPieces(text: string): Promise<unknown> {
  return text.length <= PIECE ? parseRequest(text) : parsePart(text, 0, parseRequest);
}

/** An element of a list that is read by itself: what it is, or what is wrong with it, and its text. */
export type Element = { readonly value: unknown } | { readonly text: string; readonly error: KvError };

/**
 * The elements of a list, each as {@link parseInPieces} has it: one that is refused leaves the others alone.
 * @returns undefined if it is no list, or one of more elements than that
 * @throws {SyntaxError}
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

/** The texts of an array's, or object's, members. @throws {SyntaxError} */
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
    if (!BLANK.test(text.slice(from))) throw new SyntaxError("it does not end where it should");
    return;
  }
}

type Parse = (text: string) => unknown;

/** @param parse for what is not too long */
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
    throw new KvError("body_invalid", `What is nested so deep has at most ${MAX_DEEP_PIECE} characters.`);
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
  /** Where the bracket is. */
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
  // In entries, and not by assignment: `__proto__` is a name like any other in JSON.
  const all: [string, unknown][] = [];
  for await (const { part, alone } of partsOf(text, begin)) {
    if (all.length > MAX_MEMBERS) throw tooManyMembers();
    const colon = alone ? colonOf(part) : -1;
    if (alone && colon === -1)
      throw new KvError("body_invalid", `A name has at most ${MAX_NAME} characters.`);
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

/** Members of an array or object: one that is long alone, the others in runs. */
interface Part {
  readonly part: string;
  readonly alone: boolean;
}

/** @throws {SyntaxError} where commas or brackets are not as they have to be */
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
  if (BLANK.test(found)) throw new SyntaxError("a comma too many");
  return { part: found, alone: found.length > PIECE };
}

/** Goes over what is in an array or object, from one comma of its own to the next, and to its end. */
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
   * @returns the next comma, or the bracket that closes; undefined if there is none for a while
   * @throws {SyntaxError} if the text ends before
   */
  next(): { readonly index: number; readonly closing?: number } | undefined {
    const text = this.#text;
    let at = this.#at;
    const stop = Math.min(text.length, at + PIECE);
    for (; at < stop; at += 1) {
      const code = text.charCodeAt(at);
      if (this.#inString) {
        if (code === BACKSLASH) at += 1;
        else if (code === QUOTE) this.#inString = false;
      } else if (code === QUOTE) this.#inString = true;
      else if (code === OPEN_ARRAY || code === OPEN_OBJECT) this.#depth += 1;
      else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) {
        if (this.#depth === 0) {
          this.#at = at + 1;
          return { index: at, closing: code };
        }
        this.#depth -= 1;
      } else if (code === COMMA && this.#depth === 0) {
        this.#at = at + 1;
        return { index: at };
      }
    }
    this.#at = at;
    if (at >= text.length) throw new SyntaxError("it ends too early");
    return undefined;
  }
}

/** Where the colon behind a member's name is; -1 if it does not begin with a name and a colon. */
function colonOf(member: string): number {
  const name = /^[ \t\r\n]*"(?:[^"\\]|\\.){0,4096}"[ \t\r\n]*:/.exec(member);
  return name === null ? -1 : name[0].length - 1;
}

/** Looks at the numbers of what is known to be JSON. */
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
        throw new KvError("body_invalid", `The number ${source} can't be kept as it is. Send it as text.`);
      }
    }
  }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** A digit, a point, an exponent or its sign. */
function isOfNumber(code: number): boolean {
  return isDigit(code) || code === 0x2e || code === 0x65 || code === 0x45 || code === 0x2b || code === MINUS;
}

/** Beyond 2^53 a number is written with the fewest digits that tell it from its neighbours: those come back so. */
function isKept(value: number, source: string): boolean {
  if (!Number.isFinite(value)) return false;
  if (value === 0) return !/[1-9]/.test(source.split(/[eE]/, 1)[0] ?? "");
  if (Number.isSafeInteger(value) || !Number.isInteger(value)) return true;
  const given = decimalOf(source);
  return given === decimalOf(String(value)) || given === decimalOf(String(BigInt(value)));
}

/** A number's digits and exponent, however it is written. */
function decimalOf(source: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE](.+))?$/.exec(source) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}
