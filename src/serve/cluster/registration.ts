/** What each node says of itself in the store, for `durable-kv cluster status`. */

import { NODES } from "./layout.ts";
import type { Store } from "./store.ts";

export interface Registration {
  /** `host:port` for other nodes, which the node's lease has, too. */
  readonly peer: string;
  readonly version: string;
  readonly workerd: string;
}

/** An error only makes the status say less. */
export async function register(store: Store, registration: Registration): Promise<void> {
  await store.put(keyOf(registration.peer), JSON.stringify(registration)).catch(() => undefined);
}

export async function unregister(store: Store, peer: string): Promise<void> {
  await store.delete(keyOf(peer)).catch(() => undefined);
}

/** By address for other nodes. @throws {ClusterError} */
export async function registrations(store: Store): Promise<ReadonlyMap<string, Registration>> {
  const found = new Map<string, Registration>();
  for await (const { keys } of store.list(NODES)) {
    for (const key of keys) {
      const stored = await store.get(key);
      if (stored === undefined) continue;
      try {
        const registration = JSON.parse(stored.text) as Registration;
        found.set(registration.peer, registration);
      } catch {
        // Not ours: it says nothing of a node.
      }
    }
  }
  return found;
}

const keyOf = (peer: string): string => `${NODES}${peer.replace(/[^\w.-]/g, "_")}.json`;
