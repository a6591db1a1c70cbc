/** The table of results by idempotency key, so a repeated request runs once (draft-ietf-httpapi-idempotency-key-header). */

import { LIMIT } from "../lib/sql.ts";
import { KvError } from "../model/errors.ts";
import type { Clock } from "../otp/timers.ts";
import { areComparable } from "../model/fingerprint.ts";
import type { Idempotency, Replayable } from "../model/idempotency.ts";

/** How long a result is remembered, in milliseconds: one day. */
export const REMEMBER_MS = 86_400_000;
/**
 * The shortest wait between two sweeps, in milliseconds. Each sweep wakes the bucket, and reads ignore old results
 * anyway.
 */
const SWEEP_PAUSE_MS = 3_600_000;
/** Results that one sweep removes at most, because other requests wait until it ends. */
const FORGET_AT_ONCE = 1_000;
/** How many results a bucket remembers, and their bytes together. Beyond the limits the oldest are forgotten first. */
const MAX_REMEMBERED = 10_000;
const MAX_REMEMBERED_BYTES = 16 * 1_048_576;
/** Characters of JSON in the longest result that is remembered; the platform's limit for a row is two megabytes. */
const MAX_RESULT_LENGTH = 500_000;

/** SQL for the bytes of a row. The key counts twice, because the index on it stores it again. */
const ROW_BYTES = "2 * octet_length(key) + octet_length(fingerprint) + octet_length(result)";

type Row = { key: string; at: number; fingerprint: string; result: string };

/** How many results are remembered, and their bytes together. */
export interface RememberedLimits {
  readonly results: number;
  readonly bytes: number;
}

/** The results of requests that carried an idempotency key. Synchronous, single-threaded. */
export class Remembered {
  readonly #sql: SqlStorage;
  readonly #clock: Clock;
  readonly #limits: RememberedLimits;
  /** Bytes of all rows; undefined until they have been counted. */
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

  /** Bytes of all rows. */
  get bytes(): number {
    // Counted once, then kept up to date. The sum is cheap: SQLite reads lengths from a row's header, without the row's
    // data.
    this.#bytes ??= this.#sql
      .exec<{ bytes: number }>(`SELECT coalesce(sum(${ROW_BYTES}), 0) AS bytes FROM remembered`)
      .one().bytes;
    return this.#bytes;
  }

  /** Clears the cached sum. Call it after the storage was wiped or a transaction was rolled back. */
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
   * Runs a request and stores its result, or returns the stored result of the same request. The result of a refused
   * request is not stored, so the request may be repeated.
   * Call it inside the request's own transaction, so that the changes and the result are stored together or not at all.
   *
   * @throws {KvError} `idempotency_key_reused` if another request used the key; `result_too_large`; and those of `run`
   */
  once(idempotency: Idempotency, run: () => string): Replayable<string> {
    const before = this.#find(idempotency);
    if (before !== undefined) return { result: before, replayed: true };
    const result = run();
    this.#remember(idempotency, result);
    return { result, replayed: false };
  }

  /**
   * Removes old results.
   * @returns when the next sweep is due, in milliseconds since the epoch; undefined if no result is left
   */
  sweep(now: number): number | undefined {
    // After the clock was set back: restart the age of these results now. If one were removed too soon, its request
    // could run twice.
    this.#sql.exec("UPDATE remembered SET at = ?1 WHERE at > ?1", now);
    // Selected by number: numbers follow the order in time, and are indexed.
    const due = this.#sql.exec(
      `DELETE FROM remembered WHERE at <= ? AND n IN (SELECT n FROM remembered ORDER BY n ${LIMIT} ?) RETURNING n`,
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
    // A fingerprint of an older version can't be compared. The key is the same, so the request is assumed to be the same:
    // to refuse a repeated request would be wrong, and to run it twice would be worse.
    if (row.fingerprint === fingerprint || !areComparable(row.fingerprint, fingerprint)) return row.result;
    throw new KvError(
      "idempotency_key_reused",
      "This Idempotency-Key was used for another request. Use a new key for each request.",
    );
  }

  #remember({ key, fingerprint }: Idempotency, result: string): void {
    if (result.length > MAX_RESULT_LENGTH) {
      throw new KvError(
        "result_too_large",
        `With an Idempotency-Key a result is at most ${MAX_RESULT_LENGTH} characters of JSON. Read less in one request.`,
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
    // At most four at a time, so the first request after a quiet day does not pay for all results of the day before.
    this.#forget(
      "n IN (SELECT n FROM remembered ORDER BY n LIMIT 4) AND (n <= ? OR at <= ?)",
      n - this.#limits.results,
      now - REMEMBER_MS,
    );
    // Remove the oldest results until the bytes fit. Each new result removes only about as many bytes as it added.
    while (
      this.bytes > this.#limits.bytes &&
      this.#forget("n = (SELECT min(n) FROM remembered) AND n < ?", n)
    );
  }

  /** Deletes the rows that match a condition. @returns whether any matched */
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
