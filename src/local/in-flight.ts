/** Requests that are being answered. */

/** So that a server that ends can let them be answered first, for a while. */
export class InFlight {
  readonly #open = new Set<() => void>();
  #stopping = false;
  #idle: (() => void) | undefined;

  /** Whether requests are turned away. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /**
   * Waits for an answer.
   * @returns it; undefined if the server can't wait any longer
   */
  answer<T>(answer: Promise<T>): Promise<T | undefined> {
    const gaveUp = Promise.withResolvers<undefined>();
    const giveUp = (): void => gaveUp.resolve(undefined);
    this.#open.add(giveUp);
    return Promise.race([answer, gaveUp.promise]).finally(() => this.#over(giveUp));
  }

  /** Something that is still being sent, or done, when its request has been answered. */
  follow(work: Promise<unknown>): void {
    const nothing = (): void => undefined;
    this.#open.add(nothing);
    const over = (): void => this.#over(nothing);
    work.then(over, over);
  }

  /** From now on requests are turned away. Resolves when those that are open have been answered. */
  stop(): Promise<void> {
    this.#stopping = true;
    return new Promise((resolve) => {
      this.#idle = resolve;
      if (this.#open.size === 0) resolve();
    });
  }

  /** Those that are open yet are not waited for any longer. */
  giveUp(): void {
    for (const tell of this.#open) tell();
  }

  #over(tell: () => void): void {
    this.#open.delete(tell);
    if (this.#open.size === 0) this.#idle?.();
  }
}
