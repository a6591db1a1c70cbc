/** The deadlines of many calls on one timer: most calls end in time, and a timer for each would cost more than the call. */

import { LONGEST_TIMER_MS } from "./deadline.ts";

export class SharedDeadline {
  readonly #expire: (now: number) => number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer fires (`performance.now()`). */
  #at = Infinity;

  /** @param expire ends what is over by now. @returns when the next is over; undefined if nothing is waited for */
  constructor(expire: (now: number) => number | undefined) {
    this.#expire = expire;
  }

  /** Calls `expire` at this time or a little later. @param until as `performance.now()` counts */
  watch(until: number): void {
    // The timer is set for the earliest. One that fires for nothing costs less than to set it for each call.
    if (until >= this.#at) return;
    clearTimeout(this.#timer);
    this.#at = until;
    const wait = Math.max(0, Math.ceil(until - performance.now()));
    this.#timer = setTimeout(() => this.#fire(), Math.min(wait, LONGEST_TIMER_MS));
  }

  /** Stops the timer, which would keep the process running: nothing is waited for any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#at = Infinity;
  }

  #fire(): void {
    this.#at = Infinity;
    const next = this.#expire(performance.now());
    if (next !== undefined) this.watch(next);
  }
}
