/** Splits bytes and messages into lines. */

import { byteCharacters, decodeUtf8 } from "../lib/utf8.ts";

/** A line without its ending. */
export interface Line {
  readonly text: string;
  /**
   * `utf-8`: `text` is the line. `bytes`: the line is not UTF-8, and each character of `text` stands for one byte.
   * `replaced`: the line arrived as text with U+FFFD. The engine also puts U+FFFD in place of invalid bytes of a
   * WebSocket's text message, so the original bytes are unknown.
   */
  readonly encoding: "utf-8" | "bytes" | "replaced";
}

/**
 * Bytes in the longest line: twice the largest value of 1 MiB. A value whose escapes need more than that can be sent as
 * base64.
 */
export const MAX_LINE_BYTES = 2 * 1_048_576;

const LF = 0x0a;
const CR = 0x0d;
const LF_TEXT = "\n";
const REPLACEMENT = "\ufffd";
const encoder = new TextEncoder();

/** Result of splitting one chunk into lines. */
export interface Split {
  readonly lines: Line[];
  /** Whether the next line is over the limit. The rest of the stream can't be split any more. */
  readonly tooLong: boolean;
}

/**
 * Splits a stream of bytes into lines that end in LF or CRLF, wherever the chunks begin and end. Bytes after the last line
 * end are never a line: `PUT a b 10` may have lost its last digit.
 */
export class LineSplitter {
  /** The beginning of an incomplete line, in the first `#length` bytes of this buffer. */
  #held = new Uint8Array(0);
  #length = 0;

  /** Bytes of memory in use for an incomplete line. */
  get capacity(): number {
    return this.#held.length;
  }

  /** Bytes of the incomplete line so far. */
  get held(): number {
    return this.#length;
  }

  /** Takes the next chunk of the stream. @returns the lines that it completes */
  push(chunk: Uint8Array): Split {
    const last = chunk.lastIndexOf(LF);
    if (last === -1) {
      this.#hold(chunk);
      return { lines: [], tooLong: this.#length > MAX_LINE_BYTES };
    }
    const first = chunk.indexOf(LF);
    if (this.#length + first > MAX_LINE_BYTES) return { lines: [], tooLong: true };
    const whole = this.#take(chunk.subarray(0, last + 1));
    this.#hold(chunk.subarray(last + 1));
    return { lines: linesOf(whole), tooLong: this.#length > MAX_LINE_BYTES };
  }

  /** Appends a copy to the buffer: the chunk belongs to the stream, which may reuse its memory. */
  #hold(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#held.length) {
      // Double the buffer, so a line that arrives byte by byte is not copied for each byte.
      const larger = new Uint8Array(Math.max(length, this.#held.length * 2));
      larger.set(this.#held.subarray(0, this.#length));
      this.#held = larger;
    }
    this.#held.set(piece, this.#length);
    this.#length = length;
  }

  #take(end: Uint8Array): Uint8Array {
    if (this.#length === 0) return end;
    this.#hold(end);
    const whole = this.#held.subarray(0, this.#length);
    this.#held = new Uint8Array(0);
    this.#length = 0;
    return whole;
  }
}

/** The lines of a complete message. The last line needs no line end. */
export function linesOf(message: string | Uint8Array): Line[] {
  if (typeof message === "string") {
    const lines = linesOfText(message);
    return message.includes(REPLACEMENT) ? lines.map(markReplaced) : lines;
  }
  const text = decodeUtf8(message);
  // If some bytes are not UTF-8, split the bytes first, so that only the affected lines are treated as bytes.
  return text === undefined ? splitBytes(message).map(lineOfBytes) : linesOfText(text);
}

/** Bytes or characters of a message in one group of lines. */
const GROUP_LENGTH = 262_144;

/**
 * As {@link linesOf} for a long message: yields the lines in groups, so that they are not all in memory at once.
 * @yields groups of at least one line
 */
export function* lineGroupsOf(message: string | Uint8Array): Generator<Line[], void, void> {
  let from = 0;
  while (message.length - from > GROUP_LENGTH) {
    const end = endOfGroup(message, from);
    if (end === -1) break;
    yield linesOf(message.slice(from, end + 1));
    from = end + 1;
  }
  // A message that ends with a line end has no further line.
  if (from === 0 || from < message.length) yield linesOf(message.slice(from));
}

/** The position of the line end that ends a group; -1 if there is none. */
function endOfGroup(message: string | Uint8Array, from: number): number {
  const limit = from + GROUP_LENGTH;
  if (typeof message === "string") {
    const last = message.lastIndexOf(LF_TEXT, limit);
    return last < from ? message.indexOf(LF_TEXT, limit) : last;
  }
  const last = message.lastIndexOf(LF, limit);
  return last < from ? message.indexOf(LF, limit) : last;
}

/** Whether any of a message's lines is over the limit. */
export function hasOverlongLine(lines: readonly Line[]): boolean {
  return lines.some(
    ({ text, encoding }) =>
      text.length > MAX_LINE_BYTES ||
      (encoding !== "bytes" &&
        text.length * 3 > MAX_LINE_BYTES &&
        encoder.encode(text).length > MAX_LINE_BYTES),
  );
}

function linesOfText(message: string): Line[] {
  const lines = message.split(LF_TEXT);
  if (lines.length > 1 && lines.at(-1) === "") lines.pop();
  return lines.map((line) => ({ text: line.endsWith("\r") ? line.slice(0, -1) : line, encoding: "utf-8" }));
}

function markReplaced(line: Line): Line {
  return line.text.includes(REPLACEMENT) ? { ...line, encoding: "replaced" } : line;
}

/** As {@link linesOfText}, for bytes. */
function splitBytes(message: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let from = 0; from < message.length;) {
    const found = message.indexOf(LF, from);
    const end = found === -1 ? message.length : found;
    lines.push(message.subarray(from, end > from && message[end - 1] === CR ? end - 1 : end));
    from = end + 1;
  }
  return lines;
}

function lineOfBytes(bytes: Uint8Array): Line {
  const text = decodeUtf8(bytes);
  return text === undefined
    ? { text: byteCharacters(bytes), encoding: "bytes" }
    : { text, encoding: "utf-8" };
}
