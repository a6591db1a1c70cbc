/** `Process.send_after` for a Durable Object: any number of timers over its one alarm. */

/** Now, in milliseconds since the epoch. */
export type Clock = () => number;

/** The part of an object's storage that timers need. */
export type TimerStorage = Pick<DurableObjectStorage, "sql" | "getAlarm" | "setAlarm" | "deleteAlarm">;

export interface TimersOptions {
  readonly clock: Clock;
  /** Wait before the first retry of a handler that threw, in milliseconds; doubled for each one after it. */
  readonly retryBaseMs?: number;
  /** The longest wait between two retries, in milliseconds. */
  readonly retryLimitMs?: number;
}

type TimerRow = {
  readonly key: string;
  readonly ref: number;
  readonly attempts: number;
  readonly message: string;
};

/**
 * Timers as rows. The rows are the truth and the alarm only a consequence of them: it is set to the
 * earliest row after each change and on construction, so a timer outlives eviction, a restart, and the
 * platform's giving up on an alarm after six failures.
 *
 * Delivery is at least once: a row is removed after its handler has returned. A handler that throws is
 * tried again with exponential back-off, for ever.
 *
 * `Message` must survive JSON.
 */
export class Timers<Message> {
  readonly #storage: TimerStorage;
  readonly #clock: Clock;
  readonly #retryBaseMs: number;
  readonly #retryLimitMs: number;
  /** The table is made by the first timer, so that an object without timers writes no schema. */
  #hasTable: boolean;
  #armedFor: number | undefined;

  constructor(storage: TimerStorage, options: TimersOptions) {
    this.#storage = storage;
    this.#clock = options.clock;
    this.#retryBaseMs = options.retryBaseMs ?? 1_000;
    this.#retryLimitMs = options.retryLimitMs ?? 300_000;
    this.#hasTable =
      storage.sql.exec("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'timers'").toArray()
        .length > 0;
  }

  /** Whether an alarm may have to be set again after a restart. */
  get pending(): boolean {
    return this.#earliest() !== undefined;
  }

  /** Sets the alarm again if the platform has lost it. To be called once, on construction. */
  async restore(): Promise<void> {
    if (!this.pending) return;
    this.#armedFor = (await this.#storage.getAlarm()) ?? undefined;
    this.#arm();
  }

  /** Delivers `message` once, `delayMs` from now. A timer of the same key is replaced. */
  sendAfter(key: string, message: Message, delayMs: number): void {
    this.#createTable();
    this.#storage.sql.exec(
      "INSERT OR REPLACE INTO timers (key, due, attempts, message) VALUES (?, ?, 0, ?)",
      key,
      this.#clock() + delayMs,
      JSON.stringify(message),
    );
    this.#arm();
  }

  /** When the timer of `key` is due, in milliseconds since the epoch. */
  due(key: string): number | undefined {
    if (!this.#hasTable) return undefined;
    return this.#storage.sql.exec<{ due: number }>("SELECT due FROM timers WHERE key = ?", key).toArray()[0]
      ?.due;
  }

  cancel(key: string): void {
    if (!this.#hasTable) return;
    this.#storage.sql.exec("DELETE FROM timers WHERE key = ?", key);
    this.#arm();
  }

  /**
   * The object's alarm: hands over every message that is due, the longest overdue first. It never throws
   * for a handler's sake, because an alarm that throws is dropped by the platform after six tries.
   */
  async deliver(handle: (message: Message) => void | Promise<void>): Promise<void> {
    this.#armedFor = undefined; // an alarm that fires is no longer set
    for (const timer of this.#overdue()) {
      // An earlier handler of this run may have cancelled or replaced this timer.
      if (!this.#isCurrent(timer)) continue;
      try {
        await handle(JSON.parse(timer.message) as Message);
        // Removed only now: had the object died in the handler, the row would bring the message back.
        this.#storage.sql.exec("DELETE FROM timers WHERE ref = ?", timer.ref);
      } catch (error) {
        console.error(`timer ${timer.key}: attempt ${timer.attempts + 1} failed, will be retried`, error);
        this.#postpone(timer);
      }
    }
    this.#arm();
  }

  /** Forgets what it knows of the storage; to be called when that has been wiped. */
  reset(): void {
    this.#hasTable = false;
    this.#armedFor = undefined;
  }

  #createTable(): void {
    if (this.#hasTable) return;
    // A ref is never used twice (AUTOINCREMENT), also not after a cancel: what a handler has set anew for its
    // own key must not be taken for what it was called with.
    this.#storage.sql.exec(
      `CREATE TABLE IF NOT EXISTS timers (
         ref INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, due INTEGER NOT NULL,
         attempts INTEGER NOT NULL, message TEXT NOT NULL
       )`,
    );
    this.#hasTable = true;
  }

  #overdue(): TimerRow[] {
    if (!this.#hasTable) return [];
    return this.#storage.sql
      .exec<TimerRow>(
        "SELECT key, ref, attempts, message FROM timers WHERE due <= ? ORDER BY due, ref",
        this.#clock(),
      )
      .toArray();
  }

  #isCurrent(timer: TimerRow): boolean {
    return this.#storage.sql.exec("SELECT 1 FROM timers WHERE ref = ?", timer.ref).toArray().length > 0;
  }

  #postpone(timer: TimerRow): void {
    const wait = Math.min(this.#retryBaseMs * 2 ** timer.attempts, this.#retryLimitMs);
    this.#storage.sql.exec(
      "UPDATE timers SET due = ?, attempts = attempts + 1 WHERE ref = ?",
      this.#clock() + wait,
      timer.ref,
    );
  }

  #earliest(): number | undefined {
    if (!this.#hasTable) return undefined;
    return (
      this.#storage.sql.exec<{ due: number | null }>("SELECT min(due) AS due FROM timers").one().due ??
      undefined
    );
  }

  #arm(): void {
    const due = this.#earliest();
    if (due === this.#armedFor) return;
    this.#armedFor = due;
    // Not awaited: the write joins the rows' own transaction, and the output gate holds for both.
    void (due === undefined ? this.#storage.deleteAlarm() : this.#storage.setAlarm(due));
  }
}
