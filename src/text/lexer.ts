/** A line's words: split on blanks, with JSON's quotes and base64 for what a plain word can't hold. */

import { KvError } from "../model/errors.ts";
import type { Line } from "./lines.ts";
import { bytesOfCharacters, decodeUtf8 } from "../lib/utf8.ts";
import { base64Of, textOf, type Value } from "../model/value.ts";

/** One word of a line, as it came. */
export interface Word {
  /** The word as text; bytes of a line that is no UTF-8 stand as one character each. */
  readonly text: string;
  /** The bytes, where the word has some that are no text. */
  readonly bytes: ArrayBuffer | undefined;
}

const BASE64_QUOTE = 'base64:"';
/** Control characters, what Unicode takes for the end of a line, and half of a surrogate pair. */
const UNPRINTABLE = /[\0-\x1f\x7f-\x9f\u2028\u2029\p{Cs}]/u;
const ALL_UNPRINTABLE = new RegExp(UNPRINTABLE, "gu");
const NEEDS_QUOTES = /[\0-\x20\x7f-\x9f\u2028\u2029\p{Cs}]/u;

/**
 * The words of a line. Blanks are spaces and tabs.
 * @throws {KvError} `quoting_invalid`
 */
export function wordsOf(line: Line): Word[] {
  const { text } = line;
  if (line.encoding === "replaced") throw replaced();
  // Nearly every line is plain text without quotes.
  if (line.encoding === "utf-8" && !text.includes('"')) return plainWords(text);
  const words: Word[] = [];
  let at = 0;
  while ((at = skipBlanks(text, at)) < text.length) {
    const end = wordEnd(text, at);
    words.push(wordOf(text.slice(at, end), line.encoding));
    at = end;
  }
  return words;
}

/** A value as a reply shows it: as it is, unless that could be taken for something else. */
export function printValue(value: Value): string {
  const text = textOf(value);
  if (text === undefined) return `${BASE64_QUOTE}${base64Of(value)}"`;
  return UNPRINTABLE.test(text) || startsWithQuote(text) ? quote(text) : text;
}

/** A name or key as a reply shows it: such that it can be typed in again. */
export function printWord(text: string): string {
  return text === "" || NEEDS_QUOTES.test(text) || startsWithQuote(text) ? quote(text) : text;
}

/** Words for people: as they are, but that nothing in them can end their line or reach a terminal as an order. */
export function printProse(text: string): string {
  return UNPRINTABLE.test(text) ? escapeUnprintable(text) : text;
}

function quote(text: string): string {
  // JSON escapes what is below U+0020, and no other control characters.
  return escapeUnprintable(JSON.stringify(text));
}

/** With JSON's escapes. */
function escapeUnprintable(text: string): string {
  return text.replaceAll(ALL_UNPRINTABLE, (character) => {
    const escaped = JSON.stringify(character).slice(1, -1);
    return escaped === character ? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}` : escaped;
  });
}

function plainWords(text: string): Word[] {
  const words: Word[] = [];
  let at = 0;
  while ((at = skipBlanks(text, at)) < text.length) {
    const end = blankAfter(text, at);
    words.push({ text: text.slice(at, end), bytes: undefined });
    at = end;
  }
  return words;
}

function startsWithQuote(text: string): boolean {
  return text.startsWith('"') || text.startsWith(BASE64_QUOTE);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function skipBlanks(text: string, at: number): number {
  let end = at;
  while (end < text.length && isBlank(text.charCodeAt(end))) end += 1;
  return end;
}

function blankAfter(text: string, at: number): number {
  let end = at;
  while (end < text.length && !isBlank(text.charCodeAt(end))) end += 1;
  return end;
}

/** Where the word that starts at `at` ends. */
function wordEnd(text: string, at: number): number {
  if (!startsWithQuote(text.slice(at, at + BASE64_QUOTE.length))) return blankAfter(text, at);
  let end = text.indexOf('"', at) + 1;
  while (end < text.length && text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
  if (end >= text.length) throw quotingInvalid("The closing quote is missing.");
  if (end + 1 < text.length && !isBlank(text.charCodeAt(end + 1))) {
    throw quotingInvalid("After a closing quote comes a blank.");
  }
  return end + 1;
}

function wordOf(raw: string, encoding: Line["encoding"]): Word {
  if (raw.startsWith(BASE64_QUOTE)) {
    const bytes = fromBase64(raw.slice(BASE64_QUOTE.length, -1));
    return { text: "", bytes };
  }
  const bytes = encoding === "bytes" ? bytesOfCharacters(raw).buffer : undefined;
  const text = bytes === undefined ? raw : decodeUtf8(bytes);
  // A line that is no UTF-8 has words that are: only the others stay bytes.
  if (text === undefined) {
    if (raw.startsWith('"')) throw quotingInvalid("What stands in quotes is UTF-8; write bytes as base64.");
    return { text: raw, bytes };
  }
  return { text: text.startsWith('"') ? unquote(text) : text, bytes: undefined };
}

function unquote(quoted: string): string {
  let text: unknown;
  try {
    text = JSON.parse(quoted);
  } catch {
    throw quotingInvalid("What stands in quotes is written with JSON's escapes.");
  }
  if (typeof text === "string" && text.isWellFormed()) return text;
  throw quotingInvalid("What stands in quotes has half of a surrogate pair.");
}

function fromBase64(text: string): ArrayBuffer {
  try {
    return Uint8Array.fromBase64(text).buffer;
  } catch {
    throw quotingInvalid('What stands in base64:"…" is not base64.');
  }
}

function replaced(): KvError {
  return quotingInvalid(
    'This text has U+FFFD, which also stands for bytes that were no UTF-8. Write it in quotes as "\\ufffd", or send the bytes in a binary message.',
  );
}

function quotingInvalid(message: string): KvError {
  return new KvError("quoting_invalid", message);
}
