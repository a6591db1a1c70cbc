/** The maintenance of a bucket: one timer for each kind of work. */

import type { Clock, Timers } from "../otp/timers.ts";

/**
 * The bucket's timers:
 * - `orphan`: ask the registry whether it knows this bucket, until the first yes.
 * - `expiry`: remove expired entries.
 * - `log`: trim old changes.
 * - `large values`: remove chunks that belong to no entry.
 * - `remembered`: remove old results of idempotent requests.
 * - `slow watchers`: drop watchers that do not ack.
 */
export type Info = "orphan" | "expiry" | "log" | "large values" | "remembered" | "slow watchers";

/**
 * One timer serves all entries that expire, another all large values without an entry, and so on. Each is set to the
 * earliest due time of its kind, and its work sets it again. So one more entry does not cost one more timer.
 */
export class Maintenance<Kind extends string> {
  readonly #timers: Pick<Timers<Kind>, "sendAfter" | "cancel" | "due">;
  readonly #clock: Clock;
  /** Due times that were set since this object woke, in milliseconds since the epoch. */
  readonly #due = new Map<Kind, number>();

  constructor(timers: Pick<Timers<Kind>, "sendAfter" | "cancel" | "due">, clock: Clock) {
    this.#timers = timers;
    this.#clock = clock;
  }

  /** Whether a kind's timer has been set since this object woke. */
  isSet(kind: Kind): boolean {
    return this.#due.has(kind);
  }

  /** Schedules a kind's work for `at` or earlier, in milliseconds since the epoch. */
  by(kind: Kind, at: number): void {
    const due = this.#due.get(kind) ?? this.#timers.due(kind) ?? Infinity;
    this.#due.set(kind, Math.min(due, at));
    if (at < due) this.#set(kind, at);
  }

  /** Called by a kind's own work: schedules its next run; undefined if there is nothing left to do. */
  again(kind: Kind, at: number | undefined): void {
    if (at === undefined) {
      // Cancel now. The timers would remove it only after this has returned, together with a timer set in between.
      this.#due.delete(kind);
      this.#timers.cancel(kind);
      return;
    }
    this.#due.set(kind, at);
    this.#set(kind, at);
  }

  /** Forgets the due times. Call it when the storage was wiped, or a transaction was rolled back. */
  reset(): void {
    this.#due.clear();
  }

  #set(kind: Kind, at: number): void {
    this.#timers.sendAfter(kind, kind, Math.max(0, at - this.#clock()));
  }
}
