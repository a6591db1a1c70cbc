/** Requests that are done once, however often they are sent (draft-ietf-httpapi-idempotency-key-header). */

import { KvError } from "../model/errors.ts";
import type { Clock } from "../otp/timers.ts";
import { areComparable } from "../model/fingerprint.ts";
import type { Idempotency, Once } from "../model/idempotency.ts";

/** How long a result is remembered, in milliseconds. */
export const REMEMBER_MS = 86_400_000;
/** Between two sweeps, in milliseconds: each wakes the bucket, and nobody is told of what is over anyway. */
const SWEEP_PAUSE_MS = 3_600_000;
/** Results that are forgotten in one turn: others wait for it to end. */
const FORGET_AT_ONCE = 1_000;
/** How many results a bucket remembers, and how many bytes they have together: the oldest are forgotten first. */
const MAX_REMEMBERED = 10_000;
const MAX_REMEMBERED_BYTES = 16 * 1_048_576;
/** Characters of JSON in the longest result that is remembered; a row holds two megabytes. */
const MAX_RESULT_LENGTH = 500_000;

/** What a row keeps, in bytes: an index on the key has it once more. */
const ROW_BYTES = "2 * octet_length(key) + octet_length(fingerprint) + octet_length(result)";

type Row = { key: string; at: number; fingerprint: string; result: string };

export interface RememberedLimits {
  readonly results: number;
  readonly bytes: number;
}

/** The results of requests that carried an idempotency key. Synchronous, one thread. */
export class Remembered {
  readonly #sql: SqlStorage;
  readonly #clock: Clock;
  readonly #limits: RememberedLimits;
  /** Bytes of all results; undefined until they have been counted. */
  #bytes: number | undefined;

  constructor(
    sql: SqlStorage,
    clock: Clock,
    limits: RememberedLimits = { results: MAX_REMEMBERED, bytes: MAX_REMEMBERED_BYTES },
  ) {
    this.#sql = sql;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Bytes that the results take up. */
  get bytes(): number {
    // Counted once: what a row holds is read from its header, and not the row.
    this.#bytes ??= this.#sql
      .exec<{ bytes: number }>(`SELECT coalesce(sum(${ROW_BYTES}), 0) AS bytes FROM remembered`)
      .one().bytes;
    return this.#bytes;
  }

  /** Forgets what it knows of the storage; to be called when that is wiped, or a transaction is undone. */
  reset(): void {
    this.#bytes = undefined;
  }

  createTable(): void {
    // Numbered as they come, so that the oldest go first.
    this.#sql.exec(
      `CREATE TABLE remembered (
         n INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, fingerprint TEXT NOT NULL,
         result TEXT NOT NULL
       )`,
    );
  }

  /**
   * Runs a request that was not run before, and remembers its result; one that was refused may be tried again.
   * To be called inside the transaction that the request itself runs in: both are kept, or neither.
   *
   * @throws {KvError} `idempotency_key_reused`: the key was another request's. `result_too_large`
   */
  once(idempotency: Idempotency, run: () => string): Once<string> {
    const before = this.#find(idempotency);
    if (before !== undefined) return { result: before, replayed: true };
    const result = run();
    this.#remember(idempotency, result);
    return { result, replayed: false };
  }

  /** Forgets what was long ago. @returns when to come again; undefined if nothing is left */
  sweep(now: number): number | undefined {
    // The clock was put back: counted from now on. To forget too soon would be to do twice what was to be done once.
    this.#sql.exec("UPDATE remembered SET at = ?1 WHERE at > ?1", now);
    // By number, which is their order in time, and has an index.
    const due = this.#sql.exec(
      "DELETE FROM remembered WHERE at <= ? AND n IN (SELECT n FROM remembered ORDER BY n LIMIT ?) RETURNING n",
      now - REMEMBER_MS,
      FORGET_AT_ONCE,
    );
    this.#bytes = undefined;
    if (due.toArray().length === FORGET_AT_ONCE) return now;
    const [oldest] = this.#sql.exec<{ at: number }>("SELECT at FROM remembered ORDER BY n LIMIT 1").toArray();
    return oldest && Math.max(oldest.at + REMEMBER_MS, now + SWEEP_PAUSE_MS);
  }

  #find({ key, fingerprint }: Idempotency): string | undefined {
    const row = this.#sql
      .exec<Row>("SELECT key, at, fingerprint, result FROM remembered WHERE key = ?", key)
      .toArray()[0];
    if (row === undefined || row.at <= this.#clock() - REMEMBER_MS) return undefined;
    // After an upgrade nobody can tell whether it is the same request. It came with the same key, so it is taken for it:
    // to refuse it would be wrong, and to do it twice worse.
    if (row.fingerprint === fingerprint || !areComparable(row.fingerprint, fingerprint)) return row.result;
    throw new KvError(
      "idempotency_key_reused",
      "This Idempotency-Key came with another request before. Make a new one for each request.",
    );
  }

  #remember({ key, fingerprint }: Idempotency, result: string): void {
    if (result.length > MAX_RESULT_LENGTH) {
      throw new KvError(
        "result_too_large",
        `With an Idempotency-Key a result is at most ${MAX_RESULT_LENGTH} characters of JSON. Read less in it.`,
      );
    }
    const now = this.#clock();
    this.#forget("key = ?", key);
    const before = this.bytes;
    const { n, bytes } = this.#sql
      .exec<{ n: number; bytes: number }>(
        `INSERT INTO remembered (key, at, fingerprint, result) VALUES (?, ?, ?, ?) RETURNING n, ${ROW_BYTES} AS bytes`,
        key,
        now,
        fingerprint,
        result,
      )
      .one();
    this.#bytes = before + bytes;
    // At most a few at a time: whoever comes after a quiet day does not pay for all of yesterday.
    this.#forget(
      "n IN (SELECT n FROM remembered ORDER BY n LIMIT 4) AND (n <= ? OR at <= ?)",
      n - this.#limits.results,
      now - REMEMBER_MS,
    );
    // As many as it takes: each is at most as large as what has just come, or there were few.
    while (
      this.bytes > this.#limits.bytes &&
      this.#forget("n = (SELECT min(n) FROM remembered) AND n < ?", n)
    );
  }

  /** @returns whether there were any */
  #forget(which: string, ...values: SqlStorageValue[]): boolean {
    const gone = this.#sql
      .exec<{ bytes: number }>(
        `DELETE FROM remembered WHERE ${which} RETURNING ${ROW_BYTES} AS bytes`,
        ...values,
      )
      .toArray();
    for (const { bytes } of gone) this.#bytes = this.bytes - bytes;
    return gone.length > 0;
  }
}
