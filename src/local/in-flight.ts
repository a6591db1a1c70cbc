/** Tracks open requests, so that a stopping server can wait for their responses. */

/** The open requests of one server. */
export class InFlight {
  readonly #open = new Set<() => void>();
  #stopping = false;
  #idle: (() => void) | undefined;

  /** Whether new requests are rejected. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /**
   * Waits for a response.
   * @returns the response; undefined if the server stopped waiting
   */
  answer<T>(answer: Promise<T>): Promise<T | undefined> {
    const gaveUp = Promise.withResolvers<undefined>();
    const giveUp = (): void => gaveUp.resolve(undefined);
    this.#open.add(giveUp);
    return Promise.race([answer, gaveUp.promise]).finally(() => this.#over(giveUp));
  }

  /** Tracks work that continues after its response. */
  follow(work: Promise<unknown>): void {
    const nothing = (): void => undefined;
    this.#open.add(nothing);
    const over = (): void => this.#over(nothing);
    work.then(over, over);
  }

  /** Rejects new requests from now on. Resolves when all open requests have their response. */
  stop(): Promise<void> {
    this.#stopping = true;
    return new Promise((resolve) => {
      this.#idle = resolve;
      if (this.#open.size === 0) resolve();
    });
  }

  /** Stops waiting for the requests that are still open. */
  giveUp(): void {
    for (const tell of this.#open) tell();
  }

  #over(tell: () => void): void {
    this.#open.delete(tell);
    if (this.#open.size === 0) this.#idle?.();
  }
}
