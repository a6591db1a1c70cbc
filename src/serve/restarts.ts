/** How often an engine that ends by itself is started again. */

/** Restarts within {@link WINDOW_MS}, at most. */
const MAX_RESTARTS = 5;
/** In milliseconds. */
const WINDOW_MS = 60_000;

/** A supervisor's restart intensity, as OTP has it (`max_restarts`, `max_seconds`). */
export class Restarts {
  readonly #clock: () => number;
  #times: number[] = [];

  /** @param clock milliseconds that never go back: `performance.now` */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Takes note of a restart. @returns false if there have been too many of late. */
  allow(): boolean {
    const now = this.#clock();
    this.#times = this.#times.filter((time) => now - time < WINDOW_MS);
    if (this.#times.length === MAX_RESTARTS) return false;
    this.#times.push(now);
    return true;
  }
}
