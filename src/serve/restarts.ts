/** How often an engine that ends by itself is started again. */

/** Restarts within {@link WINDOW_MS}, at most. */
const MAX_RESTARTS = 5;
/** In milliseconds. */
const WINDOW_MS = 60_000;

/**
 * A supervisor's restart intensity, as OTP has it (`max_restarts`, `max_seconds`), but that it waits where OTP's gives up:
 * above this supervisor there is no other one, and a stranger who can end an engine must not end the service.
 */
export class Restarts {
  readonly #clock: () => number;
  #times: number[] = [];

  /** @param clock milliseconds that never go back: `performance.now` */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Takes note of a restart. @returns how long it has to wait, in milliseconds */
  next(): number {
    const now = this.#clock();
    this.#times = this.#times.filter((time) => now - time < WINDOW_MS);
    const [oldest = now] = this.#times.slice(-MAX_RESTARTS);
    const wait = this.#times.length < MAX_RESTARTS ? 0 : oldest + WINDOW_MS - now;
    this.#times.push(now + wait);
    return wait;
  }
}
