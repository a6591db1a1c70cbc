/** What goes out on a TCP connection: replies, which wait for the reader, and changes, which can't. */

/** Bytes of changes that may wait for a client that does not read. */
const MAX_WAITING_BYTES = 4 * 1_048_576;

const encoder = new TextEncoder();

export class Outbox {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #waiting = 0;

  constructor(writer: WritableStreamDefaultWriter<Uint8Array>) {
    this.#writer = writer;
  }

  /** Writes, and waits until the reader has made room: who awaits this reads no further command meanwhile. */
  async write(text: string): Promise<void> {
    const bytes = encoder.encode(text);
    this.#waiting += bytes.byteLength;
    try {
      await this.#writer.write(bytes);
    } finally {
      this.#waiting -= bytes.byteLength;
    }
  }

  /** Writes without waiting. @returns false if too much is waiting already: then nothing was written. */
  offer(text: string): boolean {
    if (this.#waiting > MAX_WAITING_BYTES) return false;
    // A connection that has gone ends where its commands are read; here there is no one to tell.
    this.write(text).catch(() => undefined);
    return true;
  }
}
