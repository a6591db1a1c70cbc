/**
 * Large values, stored in chunks because they are too large for one row. Synchronous, single-threaded.
 *
 * The algorithm:
 * 1. A client uploads a value chunk by chunk. Each chunk is on disk before it is acknowledged. No entry owns the value
 *    yet, so a broken upload leaves the entry as it was.
 * 2. When all chunks are there, an entry adopts the value: only then readers see it.
 * 3. When the entry is replaced or removed, it releases the value. The chunks stay for a while, so that a reader who
 *    started before can finish. A reader's lease (leases.ts) says which values are being read: these have a larger budget.
 * 4. A sweep removes a value that no entry owns {@link KEEP_MS} after its last upload, release or renewal.
 */

import { KvError } from "../model/errors.ts";
import { CHUNK_BYTES, MAX_VALUE_BYTES } from "../model/limits.ts";
import { valueTooLarge } from "../model/validators.ts";
import { KEEP_MS, type LargeValue, type Lease } from "../model/large-value.ts";
import { Leases } from "./leases.ts";

/**
 * Bytes of replaced values that are kept without a lease, for a reader that has just found one and has not read a chunk
 * yet.
 */
const MAX_REPLACED_BYTES = 4 * MAX_VALUE_BYTES;
/** Bytes of replaced values that are kept with a lease. Readers may be slow, but the disk must not fill with old values. */
const MAX_READ_BYTES = 40 * MAX_VALUE_BYTES;

/**
 * The chunks of large values. All chunks of a value have {@link CHUNK_BYTES}, except the last one, which may be
 * shorter.
 */
export class LargeValues {
  readonly #sql: SqlStorage;
  #released = false;
  readonly #leases = new Leases(KEEP_MS);

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Creates the tables. */
  createTables(): void {
    this.#sql.exec(
      "CREATE TABLE chunks (large TEXT, n INTEGER, bytes BLOB NOT NULL, PRIMARY KEY (large, n)) WITHOUT ROWID",
    );
    // Values that no entry owns: an upload in progress (replaced = 0), or a value that an entry released (replaced = 1).
    this.#sql.exec(
      `CREATE TABLE unowned (
         large TEXT PRIMARY KEY, chunks INTEGER NOT NULL, size INTEGER NOT NULL, at INTEGER NOT NULL,
         replaced INTEGER NOT NULL
       ) WITHOUT ROWID`,
    );
  }

  /**
   * Stores the next chunk of an upload; chunk 0 starts it. Repeating the last chunk is safe.
   * @param n the chunk's number, from 0
   * @throws {KvError} `upload_lost` if earlier chunks are missing, because they were removed; `value_too_large`
   */
  append(large: string, n: number, bytes: ArrayBuffer, now: number): void {
    const known = this.#unowned(large);
    const { chunks, size } = known ?? { chunks: 0, size: 0 };
    if (n === chunks - 1 && bytes.byteLength <= CHUNK_BYTES) return; // stored before, but the acknowledgement was lost
    // Only the last chunk may be shorter, so no chunk may follow a shorter one.
    if (n !== chunks || size !== n * CHUNK_BYTES || bytes.byteLength > CHUNK_BYTES) throw uploadLost();
    if (size + bytes.byteLength > MAX_VALUE_BYTES) throw valueTooLarge();
    this.#sql.exec("INSERT INTO chunks (large, n, bytes) VALUES (?, ?, ?)", large, n, bytes);
    this.#saveUnowned(large, { chunks: n + 1, size: size + bytes.byteLength, at: now, replaced: 0 });
  }

  /**
   * Makes an entry the owner of an uploaded value.
   * @throws {KvError} `upload_lost` if the upload is missing or incomplete
   */
  adopt({ large, size }: LargeValue): void {
    const found = this.#unowned(large);
    if (found === undefined || found.size !== size || found.replaced !== 0) throw uploadLost();
    this.#sql.exec("DELETE FROM unowned WHERE large = ?", large);
  }

  /** Ends an entry's ownership, and drops the oldest replaced values beyond the budgets. */
  release({ large, size }: LargeValue, now: number): void {
    this.#released = true;
    this.#saveUnowned(large, { chunks: Math.ceil(size / CHUNK_BYTES), size, at: now, replaced: 1 });
    const reading = this.#leases.values(now);
    const room = { read: MAX_READ_BYTES, unread: MAX_REPLACED_BYTES };
    const replaced = this.#sql.exec<{ large: string; size: number }>(
      "SELECT large, size FROM unowned WHERE replaced = 1 ORDER BY at DESC",
    );
    for (const value of replaced.toArray()) {
      const kind = reading.has(value.large) ? "read" : "unread";
      room[kind] -= value.size;
      if (room[kind] < 0) this.drop(value.large);
    }
  }

  /** Keeps a value for another {@link KEEP_MS}: its upload continues, or, with a lease, its reader does. */
  renewLease(large: string, now: number, lease?: string): void {
    this.#sql.exec("UPDATE unowned SET at = ? WHERE large = ?", now, large);
    if (lease !== undefined) this.#leases.renew(large, { lease, last: false }, now);
  }

  /** Ends the lease of a reader that stopped before the last chunk. */
  releaseLease(lease: string): void {
    this.#leases.release(lease);
  }

  /** Whether a value was released since the last call. The caller then schedules a sweep for after {@link KEEP_MS}. */
  takeReleased(): boolean {
    const released = this.#released;
    this.#released = false;
    return released;
  }

  /** Whether two values have the same bytes. */
  same(one: LargeValue, other: LargeValue): boolean {
    if (one.size !== other.size) return false;
    const { equal } = this.#sql
      .exec<{ equal: number }>(
        "SELECT count(*) AS equal FROM chunks a JOIN chunks b ON b.large = ? AND b.n = a.n AND b.bytes = a.bytes WHERE a.large = ?",
        other.large,
        one.large,
      )
      .one();
    return equal === Math.ceil(one.size / CHUNK_BYTES);
  }

  /** Reads chunk `n`, counted from 0, and renews the lease; undefined if the value was removed. */
  chunk(large: string, n: number, lease: Lease, now: number): ArrayBuffer | undefined {
    // The lease is renewed in memory also while an entry owns the value: if the entry is replaced later, the value has
    // its lease.
    this.#leases.renew(large, lease, now);
    return this.#sql
      .exec<{ bytes: ArrayBuffer }>("SELECT bytes FROM chunks WHERE large = ? AND n = ?", large, n)
      .toArray()[0]?.bytes;
  }

  /** Removes a value that no entry owns; a value that an entry owns stays. */
  drop(large: string): void {
    this.#sql.exec("DELETE FROM chunks WHERE large IN (SELECT large FROM unowned WHERE large = ?)", large);
    this.#sql.exec("DELETE FROM unowned WHERE large = ?", large);
  }

  /**
   * Removes values without an owner that were not used for {@link KEEP_MS}.
   * @returns whether any value without an owner is left
   */
  sweep(now: number): boolean {
    // After the clock was set back: restart the age of these values now, so that they neither go too soon nor stay for
    // ever.
    this.#sql.exec("UPDATE unowned SET at = ?1 WHERE at > ?1", now);
    const stale = this.#sql.exec<{ large: string }>("SELECT large FROM unowned WHERE at <= ?", now - KEEP_MS);
    for (const { large } of stale.toArray()) this.drop(large);
    return this.#sql.exec("SELECT 1 FROM unowned LIMIT 1").toArray().length > 0;
  }

  #unowned(large: string): { chunks: number; size: number; replaced: number } | undefined {
    return this.#sql
      .exec<{ chunks: number; size: number; replaced: number }>(
        "SELECT chunks, size, replaced FROM unowned WHERE large = ?",
        large,
      )
      .toArray()[0];
  }

  #saveUnowned(
    large: string,
    row: {
      readonly chunks: number;
      readonly size: number;
      readonly at: number;
      readonly replaced: 0 | 1;
    },
  ): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO unowned (large, chunks, size, at, replaced) VALUES (?, ?, ?, ?, ?)",
      large,
      row.chunks,
      row.size,
      row.at,
      row.replaced,
    );
  }
}

function uploadLost(): KvError {
  return new KvError(
    "upload_lost",
    "The upload was interrupted for too long, or its bucket has ended. Nothing was changed: send it again.",
  );
}
