/** The work that a bucket does unasked, now and then: one timer for each kind of it. */

import type { Clock, Timers } from "../otp/timers.ts";

/**
 * One timer stands for all entries that expire, another for all values that nobody owns, and so on: it is set to the
 * earliest of their times, and sets itself again. What can wait for it costs nothing.
 */
export class Maintenance<Kind extends string> {
  readonly #timers: Pick<Timers<Kind>, "sendAfter" | "cancel" | "due">;
  readonly #clock: Clock;
  /** When a kind's timer will run at the latest, as far as this object has set it since it woke. */
  readonly #due = new Map<Kind, number>();

  constructor(timers: Pick<Timers<Kind>, "sendAfter" | "cancel" | "due">, clock: Clock) {
    this.#timers = timers;
    this.#clock = clock;
  }

  /** Whether a kind's timer has been set since this object woke. */
  isSet(kind: Kind): boolean {
    return this.#due.has(kind);
  }

  /** Has a kind's work done by then, at the latest. */
  by(kind: Kind, at: number): void {
    const due = this.#due.get(kind) ?? this.#timers.due(kind) ?? Infinity;
    this.#due.set(kind, Math.min(due, at));
    if (at < due) this.#set(kind, at);
  }

  /** From a kind's own work: when it is to be done next, if ever. */
  again(kind: Kind, at: number | undefined): void {
    if (at === undefined) {
      // Not left to the timers, which remove it when this has returned: whoever sets it until then sets it anew.
      this.#due.delete(kind);
      this.#timers.cancel(kind);
      return;
    }
    this.#due.set(kind, at);
    this.#set(kind, at);
  }

  /** Forgets what it knows of the timers; to be called when the storage was wiped. */
  reset(): void {
    this.#due.clear();
  }

  #set(kind: Kind, at: number): void {
    this.#timers.sendAfter(kind, kind, Math.max(0, at - this.#clock()));
  }
}
