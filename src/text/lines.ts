/** Bytes to lines. */

import { byteCharacters, decodeUtf8 } from "../lib/utf8.ts";

/** A line without its ending. */
export interface Line {
  readonly text: string;
  /**
   * `utf-8`: `text` is what was written. `bytes`: it is no UTF-8, and each character stands for one byte. `replaced`: it
   * came as text with U+FFFD in it, which is also what the engine makes of a WebSocket's bytes that are no UTF-8.
   */
  readonly encoding: "utf-8" | "bytes" | "replaced";
}

/**
 * Bytes in the longest line: 1 MiB, and what its value may hold. A value whose escapes need more room than
 * that can be sent as base64.
 */
export const MAX_LINE_BYTES = 2 * 1_048_576;

const LF = 0x0a;
const CR = 0x0d;
const LF_TEXT = "\n";
const REPLACEMENT = "\ufffd";
const encoder = new TextEncoder();

/** What came of some bytes. */
export interface Split {
  readonly lines: Line[];
  /** The line that follows has grown over the limit. The stream is out of step from here on. */
  readonly tooLong: boolean;
}

/**
 * Cuts a stream of bytes into lines that end in LF or CRLF, wherever its chunks begin and end. A line that
 * the end of the stream cuts off is no line: `PUT a b 10` may have lost its last digit.
 */
export class LineSplitter {
  /** The beginning of a line whose end has not come: the first `#length` bytes. */
  #held = new Uint8Array(0);
  #length = 0;

  /** Bytes of memory that are kept for that. */
  get capacity(): number {
    return this.#held.length;
  }

  /** Bytes that are kept of a line whose end has not come. */
  get held(): number {
    return this.#length;
  }

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

  /** Copies, because the chunk belongs to the stream, which may use its memory again. */
  #hold(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#held.length) {
      // Twice as much each time: a line that comes byte by byte is not copied for each of them.
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

/** The lines of a whole message; an ending after the last one is not needed. */
export function linesOf(message: string | Uint8Array): Line[] {
  if (typeof message === "string") {
    const lines = linesOfText(message);
    return message.includes(REPLACEMENT) ? lines.map(suspected) : lines;
  }
  const text = decodeUtf8(message);
  // Where some bytes are no UTF-8 the message is cut as bytes, so that its other lines stay what they are.
  return text === undefined ? splitBytes(message).map(lineOfBytes) : linesOfText(text);
}

/** Bytes, or characters, of a message that are made into lines together. */
const GROUP_LENGTH = 262_144;

/**
 * As {@link linesOf}, for a message that may be long: its lines in groups, so that not all of them are in memory at once.
 * @yields lines, with at least one of them in each group
 */
export function* lineGroupsOf(message: string | Uint8Array): Generator<Line[], void, void> {
  let from = 0;
  while (message.length - from > GROUP_LENGTH) {
    const end = endOfGroup(message, from);
    if (end === -1) break;
    yield linesOf(message.slice(from, end + 1));
    from = end + 1;
  }
  // What ends with a line's end ends there.
  if (from === 0 || from < message.length) yield linesOf(message.slice(from));
}

/** Where the last line that begins in a group ends; -1 if it does not. */
function endOfGroup(message: string | Uint8Array, from: number): number {
  const limit = from + GROUP_LENGTH;
  if (typeof message === "string") {
    const last = message.lastIndexOf(LF_TEXT, limit);
    return last < from ? message.indexOf(LF_TEXT, limit) : last;
  }
  const last = message.lastIndexOf(LF, limit);
  return last < from ? message.indexOf(LF, limit) : last;
}

/** Whether a message that came whole has a line over the limit. */
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

function suspected(line: Line): Line {
  return line.text.includes(REPLACEMENT) ? { ...line, encoding: "replaced" } : line;
}

/** As {@link linesOfText}, of bytes. */
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
