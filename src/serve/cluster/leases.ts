/** Leases of nodes: who holds one, and the release of one whose engine is known to have ended. */

import { expired, LEASES, type Lease, parseLease } from "./layout.ts";
import type { Store, StoredText } from "./store.ts";

/** All leases in the store, those of gone nodes too, until their peers have tidied them up. @throws {ClusterError} */
export async function leasesIn(store: Store): Promise<readonly Lease[]> {
  return (await storedLeases(store)).map(({ lease }) => lease);
}

/** Whether a node has left in order, so that its buckets are free: it holds no lease. @throws {ClusterError} */
export async function hasLeft(store: Store, address: string, now: number): Promise<boolean> {
  return !(await leasesIn(store)).some((lease) => lease.address === address && lease.expiresMs > now);
}

/**
 * Releases the lease of an engine that has crashed, so that its buckets are taken over at once and not after the lease.
 * Call it only when that engine's process has ended: a lease says that nobody else may own its objects, and a process that
 * is gone owns none. What it had acknowledged is in the store.
 *
 * Anything unexpected leaves the lease as it is: it then expires by itself.
 * @returns whether a lease was released
 */
export async function releaseLease(store: Store, address: string): Promise<boolean> {
  try {
    const [only, another] = (await storedLeases(store)).filter(
      ({ lease }) => lease.address === address && lease.expiresMs !== 0,
    );
    // Two nodes that were given one address: which of them has crashed is not known.
    if (only === undefined || another !== undefined) return false;
    // With its ETag: a peer may tidy it up meanwhile.
    return await store.put(only.key, expired(only.text), { ifMatch: only.etag });
  } catch {
    // The store is away. The lease expires.
  }
  return false;
}

interface StoredLease extends StoredText {
  readonly key: string;
  readonly lease: Lease;
}

async function storedLeases(store: Store): Promise<StoredLease[]> {
  const keys: string[] = [];
  for await (const page of store.list(LEASES)) keys.push(...page.keys.filter((key) => key.endsWith(".json")));
  const all = await Promise.all(
    keys.map(async (key) => {
      const stored = await store.get(key);
      const lease = stored && parseLease(stored.text);
      return stored === undefined || lease === undefined ? [] : [{ ...stored, key, lease }];
    }),
  );
  return all.flat();
}
