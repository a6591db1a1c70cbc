/** Deadlines of many calls on one timer. */

import { isRecent } from "../lib/recent.ts";
import { Exit } from "./exit.ts";

interface Waiting {
  /** When it came, in milliseconds since the epoch. */
  readonly since: number;
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
      const waiting = { since: Date.now(), expire: () => reject(new Exit("timeout")) };
      this.#waiting.add(waiting);
      if (!this.#armed) this.#arm(this.#timeoutMs);
      promise.then(resolve, reject).finally(() => this.#waiting.delete(waiting));
    });
  }

  #arm(delayMs: number): void {
    this.#armed = true;
    // Never cleared, but short: an empty run once in a while costs less than to set and clear it for each call.
    setTimeout(
      () => {
        this.#armed = false;
        this.#expire();
      },
      Math.min(delayMs, LONGEST_TIMER_MS),
    );
  }

  #expire(): void {
    const now = Date.now();
    for (const waiting of this.#waiting) {
      if (isRecent(waiting.since, now, this.#timeoutMs)) {
        this.#arm(waiting.since + this.#timeoutMs - now);
        return;
      }
      this.#waiting.delete(waiting);
      waiting.expire();
    }
  }
}
