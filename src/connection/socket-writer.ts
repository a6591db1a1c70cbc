/** Writes to a TCP connection: replies, which wait until the client reads, and changes, which can't wait. */

import { Budget } from "../lib/budget.ts";
import { FlowWindow } from "../lib/flow-window.ts";

/** Most unread characters of a connection that is still sent changes. */
const MAX_WAITING_BYTES = 4 * 1_048_576;
/** Characters in one write. */
const SLICE = 262_144;
/** How long a client may take to read one write while the budget of all connections is used up, in milliseconds. */
const STALLED_MS = 10_000;

/** Unread characters of all connections of the isolate. */
const unread = new Budget({ each: 64 * 1_048_576, all: 16 * 1_048_576, share: 65_536 });

const encoder = new TextEncoder();

export class SocketWriter {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #window = new FlowWindow(unread);

  constructor(writer: WritableStreamDefaultWriter<Uint8Array>) {
    this.#writer = writer;
  }

  /**
   * Writes, and waits until the client has made room. The caller awaits it, and so reads no further command meanwhile.
   * @throws if the connection is closed; or if the client does not read while the budget of all connections is used up
   */
  async write(text: string): Promise<void> {
    this.#window.sent(text.length);
    try {
      for (let from = 0, end: number; from < text.length; from = end) {
        end = endOfSlice(text, from);
        await this.#writeSlice(text.slice(from, end));
      }
    } finally {
      this.#window.acked(text.length);
    }
  }

  /** Writes without waiting. @returns false if too much is unread; then nothing was written */
  offer(text: string): boolean {
    if (this.#window.unacked > MAX_WAITING_BYTES || !this.#window.hasRoomFor(text.length)) return false;
    // If the connection is closed, reading its commands fails too, and that ends it.
    this.write(text).catch(() => undefined);
    return true;
  }

  /** A client that does not read is cut off after {@link STALLED_MS}, but only while the budget is used up. */
  async #writeSlice(text: string): Promise<void> {
    const written = this.#writer.write(encoder.encode(text));
    if (this.#window.hasRoomFor(0)) return written;
    const stalled = setTimeout(() => void this.#writer.abort().catch(() => undefined), STALLED_MS);
    try {
      await written;
    } finally {
      clearTimeout(stalled);
    }
  }
}

/** Where a slice ends: never within a surrogate pair, because each half would be written as U+FFFD. */
function endOfSlice(text: string, from: number): number {
  const end = Math.min(from + SLICE, text.length);
  const isPair = end < text.length && (text.codePointAt(end - 1) ?? 0) > 0xffff;
  return isPair ? end + 1 : end;
}
