/** What comes in on a TCP connection, read by one reader; it can be told to stop without giving the connection up. */

type Piece = ReadableStreamReadResult<Uint8Array>;

export class SocketReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  /** A read that was begun and whose piece nobody has taken. */
  #begun: Promise<Piece> | undefined;
  #ended = false;
  #isOver = false;
  /** Ends the wait of {@link next}. */
  #stop: (() => void) | undefined;

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>) {
    this.#reader = reader;
  }

  /** The next bytes; undefined when the client has sent its last, or {@link end} was called. @throws if it has gone */
  next(): Promise<Uint8Array | undefined> {
    // Not Promise.race: what races against one promise for hours piles up in its reactions.
    return new Promise((resolve, reject) => {
      const stop = (): void => resolve(undefined);
      if (this.#isOver) return stop();
      this.#stop = stop;
      if (this.#ended) this.#endSoon();
      this.read().then(({ value }) => resolve(value), reject);
    });
  }

  /**
   * No further bytes are handed out by {@link next}, but for those that have come already: their replies are waited for.
   * {@link read} goes on where it stopped.
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

  /** As a reader's `read`, whatever was ended. A piece that {@link next} waited for in vain is dropped with the others. */
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
