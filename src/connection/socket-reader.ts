/** Reads a TCP connection; the reader can stop without losing the connection. */

type Piece = ReadableStreamReadResult<Uint8Array>;

export class SocketReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  /** A started read whose bytes were not yet taken. */
  #begun: Promise<Piece> | undefined;
  #ended = false;
  #isOver = false;
  /** Ends the wait of {@link next}. */
  #stop: (() => void) | undefined;

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>) {
    this.#reader = reader;
  }

  /** The next bytes; undefined at the end of the input, or after {@link end}. @throws if the connection broke */
  next(): Promise<Uint8Array | undefined> {
    // Not Promise.race: each race against one long-lived promise adds reactions to it, which are never freed.
    return new Promise((resolve, reject) => {
      const stop = (): void => resolve(undefined);
      if (this.#isOver) return stop();
      this.#stop = stop;
      if (this.#ended) this.#endSoon();
      this.read().then(({ value }) => resolve(value), reject);
    });
  }

  /**
   * Ends {@link next}: it still returns bytes that have already arrived, because the client waits for their replies, and
   * then undefined. {@link read} continues from there.
   */
  end(): void {
    this.#ended = true;
    if (this.#stop !== undefined) this.#endSoon();
  }

  #endSoon(): void {
    setTimeout(() => {
      this.#isOver = true;
      this.#stop?.();
    }, 0);
  }

  /** Reads also after {@link end}. It returns the pending read of {@link next} first, if there is one. */
  read(): Promise<Piece> {
    const reading = (this.#begun ??= this.#reader.read());
    void reading.then(
      () => (this.#begun = undefined),
      () => undefined,
    );
    return reading;
  }

  release(): void {
    this.#reader.releaseLock();
  }
}
