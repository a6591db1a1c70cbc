/** The deadlines of many calls on one timer. */

import { Exit } from "./exit.ts";

interface Waiting {
  /** When the wait began, in milliseconds since the epoch. */
  readonly since: number;
  /** The same, in milliseconds of timers that had fired by then. */
  readonly sinceElapsed: number;
  readonly expire: () => void;
}

/**
 * The longest timer, in milliseconds. A running timer keeps its object in memory, which is charged, even after all
 * calls have been answered.
 */
const LONGEST_TIMER_MS = 250;

/**
 * Gives every promise the same time to settle, and all of them share one timer: with one timer for each call, the
 * runtime would keep something of each for as long as the connection lives, which may be days. Since all have the same
 * time, they are due in the order in which they came, and the timer is set for the first.
 */
export class Deadlines {
  readonly #timeoutMs: number;
  /** In the order of their deadlines. */
  readonly #waiting = new Set<Waiting>();
  #armed = false;
  /** The milliseconds of all timers that have fired: unlike the clock, this never goes back. */
  #elapsedMs = 0;

  /** @param timeoutMs the time for each promise, in milliseconds */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * The outcome of the promise, if it settles in time.
   * @throws {Exit} `timeout` if it does not; its outcome is then ignored.
   */
  within<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting = {
        since: Date.now(),
        sinceElapsed: this.#elapsedMs,
        expire: () => reject(new Exit("timeout")),
      };
      this.#waiting.add(waiting);
      if (!this.#armed) this.#arm(this.#timeoutMs);
      const over = (): void => void this.#waiting.delete(waiting);
      promise.then(over, over);
      promise.then(resolve, reject);
    });
  }

  #arm(delayMs: number): void {
    this.#armed = true;
    const ms = Math.min(delayMs, LONGEST_TIMER_MS);
    // Short, and never cleared: firing for nothing now and then costs less than setting and clearing it for each call.
    setTimeout(() => {
      this.#armed = false;
      this.#elapsedMs += ms;
      this.#expire();
    }, ms);
  }

  #expire(): void {
    const now = Date.now();
    for (const waiting of this.#waiting) {
      // If the clock was put back, only the timers that have fired tell how long the wait is.
      const waited = waiting.since <= now ? now - waiting.since : this.#elapsedMs - waiting.sinceElapsed;
      if (waited < this.#timeoutMs) {
        this.#arm(this.#timeoutMs - waited);
        return;
      }
      this.#waiting.delete(waiting);
      waiting.expire();
    }
  }
}
