/**
 * Leases on large values: they say which values are being read.
 *
 * Each reader has one lease and renews it with each chunk; the last chunk, or a release, ends it. A lease that was not
 * renewed in time expires, in case the reader vanished. Leases are in memory only: if they are lost, each reader renews
 * its lease with its next chunk. The map is in the order of renewal, so expiry stops at the first lease that is recent.
 */

import { isRecent } from "../lib/recent.ts";
import type { Lease } from "../model/large-value.ts";

/** The leases of all readers of a bucket. */
export class Leases {
  readonly #keepMs: number;
  /** By lease, in the order of the last renewal. */
  readonly #leases = new Map<string, { readonly large: string; readonly at: number }>();

  /** @param keepMs how long a lease lasts without a renewal, in milliseconds */
  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  /** Starts or renews a lease when a chunk is read; the last chunk ends it. */
  renew(large: string, { lease, last }: Lease, now: number): void {
    this.#leases.delete(lease);
    if (last) return;
    this.#leases.set(lease, { large, at: now });
    this.#expire(now);
  }

  /** Ends a lease. */
  release(lease: string): void {
    this.#leases.delete(lease);
  }

  /** The ids of the values that are being read. */
  values(now: number): ReadonlySet<string> {
    this.#expire(now);
    return new Set([...this.#leases.values()].map(({ large }) => large));
  }

  #expire(now: number): void {
    for (const [lease, { large, at }] of this.#leases) {
      // After the clock was set back: restart the age of the lease now, so that it expires neither too soon nor never.
      if (at > now) this.#leases.set(lease, { large, at: now });
      else if (isRecent(at, now, this.#keepMs)) return;
      else this.#leases.delete(lease);
    }
  }
}
