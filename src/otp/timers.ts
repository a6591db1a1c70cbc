/** `Process.send_after` for a Durable Object: any number of timers over its one alarm. */

import { failpoint } from "./failpoint.ts";

/** Now, in milliseconds since the epoch. */
export type Clock = () => number;

export interface TimersOptions {
  readonly clock: Clock;
  /** Wait before the first retry of a handler that threw, in milliseconds; doubled for each one after it. */
  readonly retryBaseMs?: number;
  /** The longest wait between two retries, in milliseconds. */
  readonly retryLimitMs?: number;
  /** Called when the clock was found to have been put back, before the timers are delivered. */
  readonly setBack?: () => void;
}

interface Timer<Message> {
  /** Milliseconds since the epoch. */
  readonly due: number;
  /** When it was set, in milliseconds since the epoch. Versions before kept none. */
  readonly set?: number;
  readonly attempts: number;
  readonly message: Message;
  /** Never used twice for a key: what a handler has set anew must not be taken for what it was called with. */
  readonly ref: string;
}

const PREFIX = "otp:timer/";

/** An alarm that is so late was lost, or set before the clock was put forward, in milliseconds. */
const LATE_MS = 5_000;
/** A clock that is so far behind what it was has been put back, in milliseconds; less is a correction. */
const SET_BACK_MS = 5_000;

/**
 * Timers as rows of the object's key-value storage, a handful for an object. The rows are the truth and the
 * alarm only a consequence of them: it is set to the earliest row after each change and on construction, so
 * a timer outlives eviction, a restart, and the platform's giving up on an alarm after six failures.
 *
 * What the platform says of an alarm is no proof that it will call: one that should have fired and has not is
 * set again by {@link wake}, and so is the alarm when the clock was put forward. When it was put back, how long
 * each has waited is not known: all are due, so that none waits for longer than it was to.
 *
 * Delivery is at least once: a row is removed after its handler has returned. A handler that throws is
 * tried again with exponential back-off, for ever.
 *
 * `Message` must survive structured cloning.
 */
export class Timers<Message> {
  readonly #ctx: DurableObjectState;
  readonly #clock: Clock;
  readonly #retryBaseMs: number;
  readonly #retryLimitMs: number;
  readonly #setBack: () => void;
  /** When the alarm is to fire; undefined while none is set, or it is being answered. */
  #armedFor: number | undefined;
  /** When a delivery failed as a whole, or a change was undone, and nothing has been set since. */
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

  /** Whether an alarm may have to be set again after a restart. */
  get pending(): boolean {
    return this.#earliest() !== undefined;
  }

  /** Sets the alarm again if the platform has lost it. To be called once, on construction. */
  async restore(): Promise<void> {
    this.#armedFor = (await this.#ctx.storage.getAlarm()) ?? undefined;
    for (const [, { set = 0 }] of this.#all()) this.#latest = Math.max(this.#latest, set);
    this.#arm();
    this.wake();
  }

  /** Sets the alarm again if it should have fired. To be called by all that wakes the object; it costs nothing. */
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
    // Whole, as the alarm keeps it: else a restart would find another time there, and set it anew.
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
   * The object's alarm: hands over every message that is due, the longest overdue first. It never throws
   * for a handler's sake, because an alarm that throws is dropped by the platform after six tries.
   */
  async deliver(handle: (message: Message) => void | Promise<void>): Promise<void> {
    this.#armedFor = undefined; // an alarm that fires is no longer set
    this.#failedAt = undefined;
    const latest = this.#latest;
    try {
      await this.#deliverDue(handle);
    } catch (error) {
      // The storage is broken. The platform tries a few times more; behind that it is for whoever comes.
      this.#failedAt = this.#clock();
      this.#latest = latest;
      throw error;
    }
  }

  async #deliverDue(handle: (message: Message) => void | Promise<void>): Promise<void> {
    const now = this.#clock();
    const isSetBack = this.#isSetBack(now);
    this.#latest = now;
    if (isSetBack) this.#setBack();
    const due = this.#all().filter(([, timer]) => isSetBack || timer.due <= now);
    for (const [key, timer] of due.toSorted(([, one], [, other]) => one.due - other.due)) {
      // An earlier handler of this run may have cancelled or replaced this timer.
      if (this.#get(key)?.ref !== timer.ref) continue;
      try {
        await handle(timer.message);
        if (globalThis.KV_FAILPOINTS) await failpoint(this.#ctx, "timer: handled, row not removed");
        // Removed only now: had the object died in the handler, the row would bring the message back.
        if (this.#get(key)?.ref === timer.ref) this.#ctx.storage.kv.delete(PREFIX + key);
      } catch (error) {
        console.error(`timer ${key}: attempt ${timer.attempts + 1} failed, will be retried`, error);
        this.#postpone(key, timer);
      }
    }
    if (globalThis.KV_FAILPOINTS) await failpoint(this.#ctx, "timer: rows removed, alarm not set");
    this.#arm();
  }

  /** Forgets what it knows of the alarm; to be called when the storage was wiped. */
  reset(): void {
    this.#armedFor = undefined;
    this.#failedAt = undefined;
  }

  /** To be called when a change was undone: an alarm may have been set for a row that is not there, or the other way round. */
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
    // An alarm is set to a time after 1970, however long overdue it is.
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
    // One that is to fire now delivers all that is due, and must not be put off.
    const isImminent = this.#armedFor !== undefined && this.#armedFor <= now;
    if (!isImminent || (due > now && !this.#isSetBack(now))) this.#setAlarm(due);
  }

  #setAlarm(at: number): void {
    this.#armedFor = at;
    this.#failedAt = undefined;
    // Not awaited: the write joins the rows' own transaction, and the output gate holds for both.
    void this.#ctx.storage.setAlarm(at);
  }
}
