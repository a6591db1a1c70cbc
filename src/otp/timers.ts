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
}

interface Timer<Message> {
  /** Milliseconds since the epoch. */
  readonly due: number;
  readonly attempts: number;
  readonly message: Message;
  /** Never used twice for a key: what a handler has set anew must not be taken for what it was called with. */
  readonly ref: string;
}

const PREFIX = "timer/";

/**
 * Timers as rows of the object's key-value storage, a handful for an object. The rows are the truth and the
 * alarm only a consequence of them: it is set to the earliest row after each change and on construction, so
 * a timer outlives eviction, a restart, and the platform's giving up on an alarm after six failures.
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
  #armedFor: number | undefined;

  constructor(ctx: DurableObjectState, options: TimersOptions) {
    this.#ctx = ctx;
    this.#clock = options.clock;
    this.#retryBaseMs = options.retryBaseMs ?? 1_000;
    this.#retryLimitMs = options.retryLimitMs ?? 300_000;
  }

  /** Whether an alarm may have to be set again after a restart. */
  get pending(): boolean {
    return this.#earliest() !== undefined;
  }

  /** Sets the alarm again if the platform has lost it. To be called once, on construction. */
  async restore(): Promise<void> {
    this.#armedFor = (await this.#ctx.storage.getAlarm()) ?? undefined;
    this.#arm();
  }

  /** Delivers `message` once, `delayMs` from now. A timer of the same key is replaced. */
  sendAfter(key: string, message: Message, delayMs: number): void {
    // Whole, as the alarm keeps it: else a restart would find another time there, and set it anew.
    const due = Math.ceil(this.#clock() + delayMs);
    this.#put(key, { due, attempts: 0, message, ref: crypto.randomUUID() });
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
    for (const [key, timer] of this.#overdue()) {
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

  /** Forgets what it knows of the alarm; to be called when the storage was wiped, or a change undone. */
  reset(): void {
    this.#armedFor = undefined;
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

  #overdue(): [string, Timer<Message>][] {
    const now = this.#clock();
    return this.#all()
      .filter(([, { due }]) => due <= now)
      .toSorted(([, one], [, other]) => one.due - other.due);
  }

  #postpone(key: string, timer: Timer<Message>): void {
    if (this.#get(key)?.ref !== timer.ref) return;
    const wait = Math.min(this.#retryBaseMs * 2 ** timer.attempts, this.#retryLimitMs);
    this.#put(key, { ...timer, due: this.#clock() + wait, attempts: timer.attempts + 1 });
  }

  #earliest(): number | undefined {
    const dues = this.#all().map(([, { due }]) => due);
    // An alarm is set to a time after 1970, however long overdue it is.
    return dues.length === 0 ? undefined : Math.max(1, Math.min(...dues));
  }

  #arm(): void {
    const due = this.#earliest();
    if (due === this.#armedFor) return;
    this.#armedFor = due;
    // Not awaited: the write joins the rows' own transaction, and the output gate holds for both.
    const { storage } = this.#ctx;
    void (due === undefined ? storage.deleteAlarm() : storage.setAlarm(due));
  }
}
