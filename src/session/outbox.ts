/** What goes out on a TCP connection: replies, which wait for the reader, and changes, which can't. */

import { Budget } from "../lib/budget.ts";

/** Bytes of changes that may wait for a client that does not read. */
const MAX_WAITING_BYTES = 4 * 1_048_576;

/** What all connections of the isolate have not taken yet; the replies to one piece of a batch may be this large. */
const waiting = new Budget({ each: 32 * 1_048_576, all: 16 * 1_048_576, share: 65_536 });

const encoder = new TextEncoder();

export class Outbox {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #waiting = waiting.hold();

  constructor(writer: WritableStreamDefaultWriter<Uint8Array>) {
    this.#writer = writer;
  }

  /**
   * Writes, and waits until the reader has made room: who awaits this reads no further command meanwhile.
   * @throws if nothing can be written any more, or all connections together wait for too much
   */
  async write(text: string): Promise<void> {
    const allowed = this.#waiting.add(text.length);
    try {
      // Before it is made into bytes: what is refused is not to cost anything.
      if (!allowed) throw new Error("too much waits to be read");
      await this.#writer.write(encoder.encode(text));
    } finally {
      this.#waiting.add(-text.length);
    }
  }

  /** Writes without waiting. @returns false if too much is waiting already: then nothing was written. */
  offer(text: string): boolean {
    if (this.#waiting.bytes > MAX_WAITING_BYTES || !this.#waiting.hasRoomFor(text.length)) return false;
    // A connection that has gone ends where its commands are read; here there is no one to tell.
    this.write(text).catch(() => undefined);
    return true;
  }
}
