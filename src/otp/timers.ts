/**
 * `Process.send_after` for a Durable Object: any number of timers over its one alarm.
 *
 * Each timer is a row of the object's storage, and the rows alone are the truth: the alarm is set to the earliest of them
 * after each change and when the object wakes. So timers outlive eviction, restarts, and a platform that gives up an alarm
 * after six failures. When the alarm fires, the messages of all rows that are due are handled, the longest overdue first.
 * A handler removes the row of its message when it has done its work. If it does so in the transaction of that work, the
 * work is done exactly once; if it does so later, at least once. If the handler throws, the row is put off, with
 * exponential back-off, for ever.
 *
 * Neither the alarm nor the clock is trusted. `getAlarm` may name a time at which the platform will not call: an alarm that
 * is late by five seconds is set again by the next call that wakes the object, and so is an alarm after the clock was put
 * forward. If the clock was put back, which shows by the latest time that was seen, it is unknown how long each timer has
 * waited: all are due, so that none waits longer than it was to.
 */

import { failpoint } from "./failpoint.ts";

/** Now, in milliseconds since the epoch. */
export type Clock = () => number;

export interface TimersOptions {
  readonly clock: Clock;
  /** Wait before the first retry of a handler that threw, in milliseconds, 1,000 if left out; doubled each time. */
  readonly retryBaseMs?: number;
  /** The longest wait between two retries, in milliseconds; 300,000 if left out. */
  readonly retryLimitMs?: number;
  /** Called before timers are delivered, if the clock was put back. */
  readonly setBack?: () => void;
}

interface Timer<Message> {
  /** Milliseconds since the epoch. */
  readonly due: number;
  /** When it was set, in milliseconds since the epoch; older versions did not store it. */
  readonly set?: number;
  readonly attempts: number;
  readonly message: Message;
  /** Unique: tells a timer that a handler has set again from the one that the handler was called for. */
  readonly ref: string;
}

const PREFIX = "otp:timer/";

/** An alarm that is this late was lost, or set before the clock was put forward. In milliseconds. */
const LATE_MS = 5_000;
/** A clock that is this far behind the latest time was put back; less is a correction. In milliseconds. */
const SET_BACK_MS = 5_000;

/**
 * Handles a message that is due. It calls `done` when the work is done, which removes the timer, unless the handler has
 * replaced it.
 */
export type Handle<Message> = (message: Message, done: () => void) => void | Promise<void>;

/** The timers of one object, meant for a handful. `Message` must survive structured cloning. */
export class Timers<Message> {
  readonly #ctx: DurableObjectState;
  readonly #clock: Clock;
  readonly #retryBaseMs: number;
  readonly #retryLimitMs: number;
  readonly #setBack: () => void;
  /** When the alarm will fire; undefined while none is set, or while it is handled. */
  #armedFor: number | undefined;
  /** When a delivery failed as a whole, or a change was undone, if no alarm has been set since. */
  #failedAt: number | undefined;
  /** The latest time that was seen. */
  #latest = 0;

  constructor(ctx: DurableObjectState, options: TimersOptions) {
    this.#ctx = ctx;
    this.#clock = options.clock;
    this.#retryBaseMs = options.retryBaseMs ?? 1_000;
    this.#retryLimitMs = options.retryLimitMs ?? 300_000;
    this.#setBack = options.setBack ?? (() => undefined);
  }

  /** Whether there is any timer. */
  get pending(): boolean {
    return this.#earliest() !== undefined;
  }

  /** Sets the alarm if the platform has lost it. To be called once, when the object wakes. */
  async restore(): Promise<void> {
    this.#armedFor = (await this.#ctx.storage.getAlarm()) ?? undefined;
    for (const [, { set = 0 }] of this.#all()) this.#latest = Math.max(this.#latest, set);
    this.#arm();
    this.wake();
  }

  /** Sets the alarm again if it should have fired. Every call that wakes the object begins with this; it costs nothing. */
  wake(): void {
    const armedFor = this.#armedFor ?? this.#failedAt;
    if (armedFor === undefined) return;
    const now = this.#clock();
    const isSetBack = this.#isSetBack(now);
    if (!isSetBack) this.#latest = Math.max(this.#latest, now);
    if (armedFor < now - LATE_MS || (isSetBack && armedFor > now)) this.#setAlarm(now);
  }

  /** Delivers `message` once, `delayMs` from now. A timer of the same key is replaced. */
  sendAfter(key: string, message: Message, delayMs: number): void {
    // Whole, as the platform keeps it: else after a restart the alarm's time would differ, and be set again.
    const set = this.#clock();
    const due = Math.ceil(set + delayMs);
    if (!this.#isSetBack(set)) this.#latest = Math.max(this.#latest, set);
    this.#put(key, { due, set, attempts: 0, message, ref: crypto.randomUUID() });
    if (globalThis.KV_FAILPOINTS) void failpoint(this.#ctx, "timer: row written, alarm not set");
    this.#arm();
  }

  /** When the timer of `key` is due, in milliseconds since the epoch. */
  due(key: string): number | undefined {
    return this.#get(key)?.due;
  }

  cancel(key: string): void {
    this.#ctx.storage.kv.delete(PREFIX + key);
    this.#arm();
  }

  /**
   * The handler of the object's alarm: handles every message that is due, the longest overdue first. A handler that
   * throws does not make this throw: the platform drops an alarm that has failed six times.
   */
  async deliver(handle: Handle<Message>): Promise<void> {
    this.#armedFor = undefined; // An alarm that has fired is no longer set.
    this.#failedAt = undefined;
    const latest = this.#latest;
    try {
      await this.#deliverDue(handle);
    } catch (error) {
      // The storage failed. The platform retries six times; after that the next call sets the alarm again (wake).
      this.#failedAt = this.#clock();
      this.#latest = latest;
      throw error;
    }
  }

  async #deliverDue(handle: Handle<Message>): Promise<void> {
    const now = this.#clock();
    const isSetBack = this.#isSetBack(now);
    this.#latest = now;
    if (isSetBack) this.#setBack();
    const due = this.#all().filter(([, timer]) => isSetBack || timer.due <= now);
    for (const [key, timer] of due.toSorted(([, one], [, other]) => one.due - other.due)) {
      // An earlier handler of this delivery may have cancelled or replaced this timer.
      if (this.#get(key)?.ref !== timer.ref) continue;
      try {
        await handle(timer.message, () => {
          if (globalThis.KV_FAILPOINTS) void failpoint(this.#ctx, "timer: handled, row not removed");
          if (this.#get(key)?.ref === timer.ref) this.#ctx.storage.kv.delete(PREFIX + key);
        });
      } catch (error) {
        console.error(`timer ${key}: attempt ${timer.attempts + 1} failed, will be retried`, error);
        this.#postpone(key, timer);
      }
    }
    if (globalThis.KV_FAILPOINTS) await failpoint(this.#ctx, "timer: rows removed, alarm not set");
    this.#arm();
  }

  /** Forgets the alarm; to be called when the storage was wiped. */
  reset(): void {
    this.#armedFor = undefined;
    this.#failedAt = undefined;
  }

  /** To be called when a transaction was undone: rows and alarm may disagree, and the next call sets the alarm again. */
  undone(): void {
    this.#armedFor = undefined;
    this.#failedAt = this.#clock();
  }

  #all(): [string, Timer<Message>][] {
    return [...this.#ctx.storage.kv.list<Timer<Message>>({ prefix: PREFIX })].map(([key, timer]) => [
      key.slice(PREFIX.length),
      timer,
    ]);
  }

  #get(key: string): Timer<Message> | undefined {
    return this.#ctx.storage.kv.get<Timer<Message>>(PREFIX + key);
  }

  #put(key: string, timer: Timer<Message>): void {
    this.#ctx.storage.kv.put(PREFIX + key, timer);
  }

  #isSetBack(now: number): boolean {
    return now < this.#latest - SET_BACK_MS;
  }

  #postpone(key: string, timer: Timer<Message>): void {
    if (this.#get(key)?.ref !== timer.ref) return;
    const wait = Math.min(this.#retryBaseMs * 2 ** timer.attempts, this.#retryLimitMs);
    const set = this.#clock();
    this.#put(key, { ...timer, due: set + wait, set, attempts: timer.attempts + 1 });
  }

  #earliest(): number | undefined {
    const dues = this.#all().map(([, { due }]) => due);
    // An alarm's time is positive, however long overdue it is.
    return dues.length === 0 ? undefined : Math.max(1, Math.min(...dues));
  }

  #arm(): void {
    const due = this.#earliest();
    if (due === this.#armedFor) return;
    if (due === undefined) {
      this.#armedFor = undefined;
      void this.#ctx.storage.deleteAlarm();
      return;
    }
    const now = this.#clock();
    // An alarm that is about to fire delivers all that is due, and must not be put off.
    const isImminent = this.#armedFor !== undefined && this.#armedFor <= now;
    if (!isImminent || (due > now && !this.#isSetBack(now))) this.#setAlarm(due);
  }

  #setAlarm(at: number): void {
    this.#armedFor = at;
    this.#failedAt = undefined;
    // Not awaited: the alarm is written in the transaction of the rows, and the output gate waits for both.
    void this.#ctx.storage.setAlarm(at);
  }
}
