/** Limits how often a crashed engine is restarted. */

/** Most restarts within {@link WINDOW_MS}. */
const MAX_RESTARTS = 5;
/** In milliseconds. */
const WINDOW_MS = 60_000;

/**
 * OTP's restart intensity (`max_restarts`, `max_seconds`), except that it waits where OTP's supervisor gives up: there
 * is no supervisor above this one, and a client that can crash the engine must not be able to end the service.
 */
export class Restarts {
  readonly #clock: () => number;
  #times: number[] = [];

  /** @param clock a monotonic clock in milliseconds, such as `performance.now` */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Records a restart. @returns milliseconds to wait before it */
  next(): number {
    const now = this.#clock();
    this.#times = this.#times.filter((time) => now - time < WINDOW_MS);
    const [oldest = now] = this.#times.slice(-MAX_RESTARTS);
    const wait = this.#times.length < MAX_RESTARTS ? 0 : oldest + WINDOW_MS - now;
    this.#times.push(now + wait);
    return wait;
  }
}
