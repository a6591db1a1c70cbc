/** What goes out on a TCP connection: replies, which wait for the reader, and changes, which can't. */

import { Budget } from "../lib/budget.ts";
import { FlowWindow } from "../lib/flow-window.ts";

/** Bytes of changes that may wait for a client that does not read. */
const MAX_WAITING_BYTES = 4 * 1_048_576;
/** Characters that are written at once. */
const SLICE = 262_144;
/** How long a client may take for that while all connections together wait for too much, in milliseconds. */
const STALLED_MS = 10_000;

/** What all connections of the isolate have not taken yet. */
const unread = new Budget({ each: 64 * 1_048_576, all: 16 * 1_048_576, share: 65_536 });

const encoder = new TextEncoder();

export class SocketWriter {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #window = new FlowWindow(unread);

  constructor(writer: WritableStreamDefaultWriter<Uint8Array>) {
    this.#writer = writer;
  }

  /**
   * Writes, and waits until the reader has made room: who awaits this reads no further command meanwhile.
   * @throws if nothing can be written any more; or nothing is read, while all connections together wait for too much
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

  /** Writes without waiting. @returns false if too much is waiting already: then nothing was written. */
  offer(text: string): boolean {
    if (this.#window.unacked > MAX_WAITING_BYTES || !this.#window.hasRoomFor(text.length)) return false;
    // A connection that has gone ends where its commands are read; here there is no one to tell.
    this.write(text).catch(() => undefined);
    return true;
  }

  /** One that reads, however slowly, is waited for; one that does not is only where others have room all the same. */
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

/** Half of a surrogate pair would be written as U+FFFD, so no slice ends between the two. */
function endOfSlice(text: string, from: number): number {
  const end = Math.min(from + SLICE, text.length);
  const isPair = end < text.length && (text.codePointAt(end - 1) ?? 0) > 0xffff;
  return isPair ? end + 1 : end;
}
