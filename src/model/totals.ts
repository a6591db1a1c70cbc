/** A bucket's totals, which it maintains with each change and never scans for. */

/** The totals of one bucket. */
export interface Totals {
  /** Number of entries. */
  readonly entries: number;
  /** Bytes of all keys and values, and of the results stored for idempotency keys. */
  readonly bytes: number;
  /** The revision of the latest change; 0 in a new bucket. */
  readonly revision: number;
}
