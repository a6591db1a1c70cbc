/** Cuts a stream of lines into parts that are small enough for one request each. Nothing but an unfinished line is held. */

import { describeValue } from "./describe-value.ts";
import { InvalidRequestError } from "./errors.ts";

const NEWLINE = 0x0a;

/**
 * The parts of a stream. Each ends at the end of a line and has at most `limit` bytes, except that a longer line is a part
 * of its own. Read each part to its end before the next one.
 */
export class Parts {
  readonly #source: ReadableStreamDefaultReader<Uint8Array>;
  readonly #limit: number;
  /** Pieces that were read and belong to the next part. */
  readonly #unread: Uint8Array[] = [];
  #lines = 0;
  #ended = false;
  /** Whether any byte was passed on. */
  #begun = false;
  #refused: InvalidRequestError | undefined;

  constructor(source: ReadableStream<Uint8Array>, limit: number) {
    this.#source = source.getReader();
    this.#limit = limit;
  }

  /** Lines of all parts that were read to their end. */
  get lines(): number {
    return this.#lines;
  }

  /** Why the source is not read on: it has something else than bytes. The platform hides what ends a request's body. */
  get refused(): InvalidRequestError | undefined {
    return this.#refused;
  }

  /** Whether there is another part: waits until the source has another byte, or has ended. */
  async more(): Promise<boolean> {
    const piece = await this.#read();
    if (piece === undefined) return false;
    this.#unread.unshift(piece);
    return true;
  }

  /** The next part. A part that is cancelled cancels the source. */
  next(): ReadableStream<Uint8Array> {
    const pieces = this.#pieces();
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const { done, value } = await pieces.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        cancel: (reason) => this.cancel(reason),
      },
      { highWaterMark: 0 },
    );
  }

  async cancel(reason?: unknown): Promise<void> {
    await this.#source.cancel(reason);
  }

  async *#pieces(): AsyncGenerator<Uint8Array, void, void> {
    // The first line is passed on as it comes, however long it is: it has to be sent anyway.
    let sent = yield* this.#firstLine();
    // The begin of a line that may have to wait for the next part.
    let held: Uint8Array[] = [];
    let heldBytes = 0;
    while (sent < this.#limit) {
      const piece = await this.#read();
      // The last line of all needs no newline.
      if (piece === undefined) return yield* held;
      const room = this.#limit - sent - heldBytes;
      const end = endOfLines(piece, Math.min(room, piece.byteLength));
      if (end > 0) {
        for (const one of [...held, piece.subarray(0, end)]) yield this.#counted(one);
        sent += heldBytes + end;
        [held, heldBytes] = [[], 0];
      }
      held.push(piece.subarray(end));
      heldBytes += piece.byteLength - end;
      if (piece.byteLength > room) break;
    }
    this.#unread.unshift(...held);
  }

  /** @returns its length */
  async *#firstLine(): AsyncGenerator<Uint8Array, number, void> {
    let sent = 0;
    for (let piece = await this.#read(); piece !== undefined; piece = await this.#read()) {
      const end = piece.indexOf(NEWLINE) + 1 || piece.byteLength;
      this.#unread.unshift(piece.subarray(end));
      sent += end;
      yield this.#counted(piece.subarray(0, end));
      if (piece[end - 1] === NEWLINE) break;
    }
    return sent;
  }

  #counted(piece: Uint8Array): Uint8Array {
    this.#begun = true;
    this.#lines += linesIn(piece);
    return piece;
  }

  /** @returns undefined at the end of the source; never an empty piece */
  async #read(): Promise<Uint8Array | undefined> {
    for (let piece = this.#unread.shift(); piece !== undefined; piece = this.#unread.shift()) {
      if (piece.byteLength > 0) return piece;
    }
    while (!this.#ended) {
      const { done, value } = await this.#source.read();
      if (done) this.#ended = true;
      else if (!((value as unknown) instanceof Uint8Array)) throw this.#refuse(value);
      else if (value.byteLength > 0) return value;
    }
    return undefined;
  }

  #refuse(piece: unknown): InvalidRequestError {
    const before = this.#begun ? "Lines before that may have been imported." : "Nothing was imported.";
    const why = `import takes text, or a ReadableStream of bytes, and not of ${describeValue(piece)}. ${before}`;
    const more = { status: 400, partlyDone: this.#begun };
    this.#refused = new InvalidRequestError("value_invalid", why, more);
    return this.#refused;
  }
}

/** Where the last whole line ends among the first bytes of a piece; 0 if there is none. */
function endOfLines(piece: Uint8Array, bytes: number): number {
  return bytes === 0 ? 0 : piece.lastIndexOf(NEWLINE, bytes - 1) + 1;
}

/** How many lines end in a piece. */
export function linesIn(piece: Uint8Array): number {
  let lines = 0;
  for (let at = piece.indexOf(NEWLINE); at !== -1; at = piece.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}
