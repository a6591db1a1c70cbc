/** What a bucket knows of itself without a scan. */

export interface Totals {
  /** How many keys there are. */
  readonly entries: number;
  /** Bytes of all keys and values, and of results that are remembered for idempotency keys. */
  readonly bytes: number;
  /** The revision of the latest change; 0 in a new bucket. */
  readonly revision: number;
}
