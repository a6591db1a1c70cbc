/** Deadlines of many calls on one timer. */

import { Exit } from "./exit.ts";

interface Waiting {
  /** When it came, in milliseconds since the epoch. */
  readonly since: number;
  /** And in milliseconds of the timers that had run out by then. */
  readonly sinceElapsed: number;
  readonly expire: () => void;
}

/**
 * The longest timer, in milliseconds. One that runs keeps its object in memory, and has its time charged, also when all
 * calls have had their answers.
 */
const LONGEST_TIMER_MS = 250;

/**
 * Gives every promise the same time to settle. A connection that makes calls for days would otherwise set
 * and clear a timer for each, and the runtime keeps what it knows of them for as long as the connection
 * lives. All have the same time, so they are due in the order in which they came, and one timer, set for
 * the first, serves them all.
 */
export class Deadlines {
  readonly #timeoutMs: number;
  /** In the order in which they are due. */
  readonly #waiting = new Set<Waiting>();
  #armed = false;
  /** Milliseconds of all timers that have run out: the clock may be put back, they may not. */
  #elapsedMs = 0;

  /** @param timeoutMs the time that each promise has, in milliseconds. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * The promise's own outcome, if it comes in time.
   * @throws {Exit} `timeout`, if it does not. What becomes of the promise then, nobody hears.
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
      promise.then(resolve, reject).finally(() => this.#waiting.delete(waiting));
    });
  }

  #arm(delayMs: number): void {
    this.#armed = true;
    const ms = Math.min(delayMs, LONGEST_TIMER_MS);
    // Never cleared, but short: an empty run once in a while costs less than to set and clear it for each call.
    setTimeout(() => {
      this.#armed = false;
      this.#elapsedMs += ms;
      this.#expire();
    }, ms);
  }

  #expire(): void {
    const now = Date.now();
    for (const waiting of this.#waiting) {
      // Where the clock was put back, it does not know how long that was.
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
