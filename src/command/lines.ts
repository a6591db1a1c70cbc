/** Bytes to lines. */

import { decodeUtf8 } from "../utf8.ts";

/** A line without its ending. */
export interface Line {
  readonly text: string;
  /** `utf-8`: `text` is what was written. `bytes`: it is no UTF-8, and each character stands for one byte. */
  readonly encoding: "utf-8" | "bytes";
}

/**
 * Bytes in the longest line: 1 MiB, and what its value may hold. A value whose escapes need more room than
 * that can be sent as base64.
 */
export const MAX_LINE_BYTES = 2 * 1_048_576;

const LF = 0x0a;
const byteDecoder = new TextDecoder("latin1");
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
  const text = typeof message === "string" ? message : decodeUtf8(message);
  if (text !== undefined) return split(text).map((line) => ({ text: line, encoding: "utf-8" }));
  // Somewhere in it are bytes that are no UTF-8: find out line by line, so that the others stay text.
  return split(byteDecoder.decode(message as Uint8Array)).map(lineOfBytes);
}

/** Bytes, or characters, of a message that are made into lines together. */
const GROUP_LENGTH = 262_144;
const LF_TEXT = "\n";

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
      (encoding === "utf-8" &&
        text.length * 3 > MAX_LINE_BYTES &&
        encoder.encode(text).length > MAX_LINE_BYTES),
  );
}

function split(text: string): string[] {
  const lines = text.split("\n");
  if (lines.length > 1 && lines.at(-1) === "") lines.pop();
  return lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
}

function lineOfBytes(line: string): Line {
  const text = decodeUtf8(Uint8Array.from(line, (character) => character.charCodeAt(0)));
  return text === undefined ? { text: line, encoding: "bytes" } : { text, encoding: "utf-8" };
}
