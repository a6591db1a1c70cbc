/**
 * The lexer: splits a line into words at blanks. JSON strings and base64 stand for words that can't be written plainly.
 * Pure.
 */

import { KvError } from "../model/errors.ts";
import type { Line } from "./lines.ts";
import { bytesOfCharacters, decodeUtf8 } from "../lib/utf8.ts";
import { base64Of, textOf, type Value } from "../model/value.ts";

/** One word of a line. */
export interface Word {
  /** The word as text. If `bytes` is set: one character for each byte, or empty for base64. */
  readonly text: string;
  /** The word's bytes, if it is base64 or not UTF-8. */
  readonly bytes: ArrayBuffer | undefined;
}

const BASE64_QUOTE = 'base64:"';
/** Control characters, Unicode's line and paragraph separators, and lone surrogates. */
const UNPRINTABLE = /[\0-\x1f\x7f-\x9f\u2028\u2029\p{Cs}]/u;
const ALL_UNPRINTABLE = new RegExp(UNPRINTABLE, "gu");
/** Of a word also blanks, and U+FFFD: in a text message it may stand for bytes that were not UTF-8, so the lexer refuses it bare. */
const NEEDS_QUOTES = /[\0-\x20\x7f-\x9f\u2028\u2029\ufffd\p{Cs}]/u;

/**
 * The words of a line. Blanks are spaces and tabs.
 * @throws {KvError} `quoting_invalid`
 */
export function wordsOf(line: Line): Word[] {
  const { text } = line;
  if (line.encoding === "replaced") throw replaced();
  // Fast path: nearly every line is plain text without quotes.
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

/** A value as a reply prints it: plain, or quoted if the plain form would be ambiguous or unprintable. */
export function printValue(value: Value): string {
  const text = textOf(value);
  if (text === undefined) return `${BASE64_QUOTE}${base64Of(value)}"`;
  return UNPRINTABLE.test(text) || startsWithQuote(text) ? quote(text) : text;
}

/** A name or key as a reply prints it: a word that the lexer reads back as the same name or key. */
export function printWord(text: string): string {
  if (text !== "" && !NEEDS_QUOTES.test(text) && !startsWithQuote(text)) return text;
  return quote(text).replaceAll("\ufffd", "\\ufffd");
}

/** Prose as a reply prints it. Unprintable characters are escaped, so the text can't end its line or control a terminal. */
export function printProse(text: string): string {
  return UNPRINTABLE.test(text) ? escapeUnprintable(text) : text;
}

function quote(text: string): string {
  // JSON.stringify escapes only the control characters below U+0020.
  return escapeUnprintable(JSON.stringify(text));
}

/** Replaces unprintable characters with JSON's escapes. */
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
    throw quotingInvalid("A closing quote must be followed by a blank.");
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
  // A line that is not UTF-8 may have words that are; only the other words remain bytes.
  if (text === undefined) {
    if (raw.startsWith('"'))
      throw quotingInvalid('Text in quotes must be UTF-8. Write other bytes as base64:"…".');
    return { text: raw, bytes };
  }
  return { text: text.startsWith('"') ? unquote(text) : text, bytes: undefined };
}

function unquote(quoted: string): string {
  let text: unknown;
  try {
    text = JSON.parse(quoted);
  } catch {
    throw quotingInvalid("Text in quotes must use JSON's escapes.");
  }
  if (typeof text === "string" && text.isWellFormed()) return text;
  throw quotingInvalid("Text in quotes must not have half of a surrogate pair.");
}

function fromBase64(text: string): ArrayBuffer {
  try {
    return Uint8Array.fromBase64(text).buffer;
  } catch {
    throw quotingInvalid('The text in base64:"…" is not base64.');
  }
}

function replaced(): KvError {
  return quotingInvalid(
    'This text has U+FFFD, which may stand for bytes that were not UTF-8. Write it in quotes as "\\ufffd", or send the bytes in a binary message.',
  );
}

function quotingInvalid(message: string): KvError {
  return new KvError("quoting_invalid", message);
}
