/** Values that are too large for one row, in chunks. Synchronous, one thread. */

import { KvError } from "../model/errors.ts";
import { CHUNK_BYTES, MAX_VALUE_BYTES } from "../model/limits.ts";
import { valueTooLarge } from "../model/validators.ts";
import { KEEP_MS, type LargeValue, type Lease } from "../model/large-value.ts";
import { Leases } from "./leases.ts";

/** Bytes of replaced values that are kept although nobody reads them: who has just found one will. */
const MAX_REPLACED_BYTES = 4 * MAX_VALUE_BYTES;
/** Bytes of replaced values that are kept for those who read them. Readers may be slow, and a disk is no cache. */
const MAX_READ_BYTES = 40 * MAX_VALUE_BYTES;

/**
 * The chunks of large values. All of a value's chunks but the last have {@link CHUNK_BYTES}.
 *
 * A value is uploaded chunk by chunk, each on disk before it is acknowledged, and belongs to nobody until an
 * entry takes it: a broken upload leaves the entry as it was. A value that is replaced belongs to nobody
 * again, and stays for a while, so that whoever is reading it can read on.
 */
export class LargeValues {
  readonly #sql: SqlStorage;
  #released = false;
  readonly #leases = new Leases(KEEP_MS);

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  createTables(): void {
    this.#sql.exec(
      "CREATE TABLE chunks (large TEXT, n INTEGER, bytes BLOB NOT NULL, PRIMARY KEY (large, n)) WITHOUT ROWID",
    );
    // What no entry owns: it is being uploaded, or it was replaced.
    this.#sql.exec(
      `CREATE TABLE unowned (
         large TEXT PRIMARY KEY, chunks INTEGER NOT NULL, size INTEGER NOT NULL, at INTEGER NOT NULL,
         replaced INTEGER NOT NULL
       ) WITHOUT ROWID`,
    );
  }

  /**
   * Keeps the next chunk of an upload; the first one begins it. To send a chunk again is safe.
   * @throws {KvError} `upload_lost`: it was given up. `value_too_large`
   */
  append(large: string, n: number, bytes: ArrayBuffer, now: number): void {
    const known = this.#unowned(large);
    const { chunks, size } = known ?? { chunks: 0, size: 0 };
    if (n === chunks - 1 && bytes.byteLength <= CHUNK_BYTES) return; // acknowledged before, but not heard
    // Only the last chunk may be shorter, so none follows one that is.
    if (n !== chunks || size !== n * CHUNK_BYTES || bytes.byteLength > CHUNK_BYTES) throw uploadLost();
    if (size + bytes.byteLength > MAX_VALUE_BYTES) throw valueTooLarge();
    this.#sql.exec("INSERT INTO chunks (large, n, bytes) VALUES (?, ?, ?)", large, n, bytes);
    this.#keep(large, { chunks: n + 1, size: size + bytes.byteLength, at: now, replaced: 0 });
  }

  /** The value becomes an entry's. @throws {KvError} `upload_lost` */
  adopt({ large, size }: LargeValue): void {
    const found = this.#unowned(large);
    if (found === undefined || found.size !== size || found.replaced !== 0) throw uploadLost();
    this.#sql.exec("DELETE FROM unowned WHERE large = ?", large);
  }

  /** The entry that had it has it no longer. */
  release({ large, size }: LargeValue, now: number): void {
    this.#released = true;
    this.#keep(large, { chunks: Math.ceil(size / CHUNK_BYTES), size, at: now, replaced: 1 });
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

  /** This value is still being uploaded; or, with a lease, read. */
  renewLease(large: string, now: number, lease?: string): void {
    this.#sql.exec("UPDATE unowned SET at = ? WHERE large = ?", now, large);
    if (lease !== undefined) this.#leases.renew(large, { lease, last: false }, now);
  }

  /** A reader has stopped before the end. */
  releaseLease(lease: string): void {
    this.#leases.release(lease);
  }

  /** Whether something was released since this was asked last: then a sweep is due, once it has been kept. */
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

  /** One chunk, counted from 0; undefined if the value is not there any more. */
  chunk(large: string, n: number, lease: Lease, now: number): ArrayBuffer | undefined {
    // An entry's own value needs no row for that: it stays. Should it be replaced, it is known that it is being read.
    this.#leases.renew(large, lease, now);
    return this.#sql
      .exec<{ bytes: ArrayBuffer }>("SELECT bytes FROM chunks WHERE large = ? AND n = ?", large, n)
      .toArray()[0]?.bytes;
  }

  /** Removes what nobody owns. */
  drop(large: string): void {
    this.#sql.exec("DELETE FROM chunks WHERE large IN (SELECT large FROM unowned WHERE large = ?)", large);
    this.#sql.exec("DELETE FROM unowned WHERE large = ?", large);
  }

  /** Removes what nobody has owned or touched for a while. @returns whether anything without an owner is left. */
  sweep(now: number): boolean {
    // The clock was put back: counted from now on, so that it neither goes too soon nor stays for ever.
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

  #keep(
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
