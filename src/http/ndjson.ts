/** Splits a body into lines as it arrives; the value of a very long line is streamed. */

import { breath } from "../lib/breath.ts";
import { KvError } from "../model/errors.ts";
import { received } from "../directory/body.ts";

/** The longest line that is read as a whole, in bytes. A value of one chunk fits, however it is escaped. */
export const MAX_WHOLE_LINE = 8 * 1_048_576;

/** How much is read at once after the string of a longer line, in bytes. */
const MAX_LINE_END = 1_024;
const LINE_END = /^\s*\}\s*$/;

const NEWLINE = 0x0a;
const QUOTE = 0x22;

/**
 * A line as a whole; or a longer line, of which only `head` was read: everything up to and including the quote that opens
 * its last string. `rest` is that string; the part of it that is not consumed is skipped.
 */
export type BodyLine =
  | { readonly number: number; readonly bytes: Uint8Array }
  | {
      readonly number: number;
      readonly head: Uint8Array;
      readonly rest: AsyncIterable<Uint8Array>;
      /**
       * Reads to the end of the line.
       * @throws {KvError} `body_invalid` if more than the end of an object follows the string
       */
      readonly end: () => Promise<void>;
    };

/** The lines of a body. Empty lines are counted, and not returned. */
export async function* bodyLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<BodyLine, void, void> {
  const reader = new Pieces(body);
  try {
    for (let number = 1; ; number += 1) {
      const pause = breath.take(1);
      if (pause !== undefined) await pause;
      const found = await reader.until(NEWLINE, MAX_WHOLE_LINE);
      if (found === undefined) return;
      if (!found.complete) yield* longLine(number, found.bytes, reader);
      else if (!isBlank(found.bytes)) yield { number, bytes: found.bytes };
    }
  } finally {
    await reader.release();
  }
}

async function* longLine(
  number: number,
  begin: Uint8Array,
  reader: Pieces,
): AsyncGenerator<BodyLine, void, void> {
  const quote = begin.lastIndexOf(QUOTE);
  reader.unread(begin.subarray(quote + 1));
  let ended: Promise<boolean> | undefined;
  const atEnd = (): Promise<boolean> => (ended ??= reader.endOfLine());
  const end = async (): Promise<void> => {
    if (!(await atEnd())) throw lineTooLong();
  };
  yield { number, head: begin.subarray(0, quote + 1), rest: reader.string(), end };
  await atEnd(); // an error there was thrown by end()
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
}

function lineTooLong(): KvError {
  return new KvError(
    "body_invalid",
    `In a line of more than ${MAX_WHOLE_LINE} bytes, "base64" must be the last member.`,
  );
}

/** Reads a body up to a given byte. */
class Pieces {
  readonly #source: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array(0);
  #inString = false;

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#source = received(body)[Symbol.asyncIterator]();
  }

  /**
   * The bytes up to the given byte, or up to the end of the body; the byte itself is consumed and left out.
   * `complete: false`: there are more than `limit` bytes, and these are the first. Undefined at the end of the body.
   */
  async until(
    byte: number,
    limit: number,
  ): Promise<{ readonly bytes: Uint8Array; readonly complete: boolean } | undefined> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      if (this.#piece.byteLength === 0 && !(await this.#more())) {
        return size === 0 ? undefined : { bytes: join(parts, size), complete: true };
      }
      const at = this.#piece.indexOf(byte);
      const part = at === -1 ? this.#piece : this.#piece.subarray(0, at);
      parts.push(part);
      size += part.byteLength;
      this.#piece = at === -1 ? new Uint8Array(0) : this.#piece.subarray(at + 1);
      if (at !== -1) return { bytes: join(parts, size), complete: true };
      if (size > limit) return { bytes: join(parts, size), complete: false };
    }
  }

  /** Stops reading. Another reader may continue. */
  async release(): Promise<void> {
    await this.#source.return?.();
  }

  /** Puts bytes back, to be read next. */
  unread(bytes: Uint8Array): void {
    this.#piece = join([bytes, this.#piece], bytes.byteLength + this.#piece.byteLength);
  }

  /** The rest of a string up to the next quote, piece by piece. Base64 needs no escapes, so an escaped quote is not valid. */
  async *string(): AsyncGenerator<Uint8Array, void, void> {
    this.#inString = true;
    while (this.#inString) {
      if (this.#piece.byteLength === 0 && !(await this.#more())) return;
      const quoted = upTo(QUOTE, this.#piece);
      // A line that was cut off has no closing quote. Stop before its newline: the next line is a line of its own.
      const part = upTo(NEWLINE, quoted);
      this.#inString = part.byteLength === this.#piece.byteLength;
      const taken = part.byteLength === quoted.byteLength ? part.byteLength + 1 : part.byteLength;
      this.#piece = this.#piece.subarray(taken);
      yield part;
    }
  }

  /** Skips to the next line. @returns whether only the end of an object was skipped */
  async endOfLine(): Promise<boolean> {
    // The reader of the string may have stopped before its end.
    if (this.#inString) for await (const _ of this.string()) continue;
    let rest = await this.until(NEWLINE, MAX_LINE_END);
    const clean = rest?.complete === true && LINE_END.test(new TextDecoder().decode(rest.bytes));
    while (rest?.complete === false) rest = await this.until(NEWLINE, MAX_LINE_END);
    return clean;
  }

  async #more(): Promise<boolean> {
    for (;;) {
      const next = await this.#source.next();
      if (next.done === true) return false;
      if (next.value.byteLength === 0) continue;
      this.#piece = next.value;
      return true;
    }
  }
}

/** The bytes before the first occurrence of a byte; all of them if it does not occur. */
function upTo(byte: number, bytes: Uint8Array): Uint8Array {
  const at = bytes.indexOf(byte);
  return at === -1 ? bytes : bytes.subarray(0, at);
}

function join(parts: readonly Uint8Array[], size: number): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
