/** Leases on large values: which ones are being read. In memory: readers whose lease is lost renew it with their next chunk. */

import { isRecent } from "../lib/recent.ts";
import type { Lease } from "../model/large-value.ts";

/** Leases that expire when they have not been renewed for a while. */
export class Leases {
  readonly #keepMs: number;
  /** In the order in which they were renewed, by lease. */
  readonly #leases = new Map<string, { readonly large: string; readonly at: number }>();

  /** @param keepMs how long a lease lasts without being renewed, in milliseconds */
  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  /** A chunk is read. With the last one the lease ends. */
  renew(large: string, { lease, last }: Lease, now: number): void {
    this.#leases.delete(lease);
    if (last) return;
    this.#leases.set(lease, { large, at: now });
    this.#expire(now);
  }

  release(lease: string): void {
    this.#leases.delete(lease);
  }

  /** The values that are being read. */
  values(now: number): ReadonlySet<string> {
    this.#expire(now);
    return new Set([...this.#leases.values()].map(({ large }) => large));
  }

  #expire(now: number): void {
    for (const [lease, { large, at }] of this.#leases) {
      // The clock was put back: count from now on, so that the lease ends neither too soon nor never.
      if (at > now) this.#leases.set(lease, { large, at: now });
      else if (isRecent(at, now, this.#keepMs)) return;
      else this.#leases.delete(lease);
    }
  }
}
