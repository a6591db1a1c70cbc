/** Checks that a store has what a cluster is built on: conditional writes. */

import { randomUUID } from "node:crypto";
import { ClusterError } from "./errors.ts";
import type { Store } from "./store.ts";

/** An ETag that no object has. */
const NO_SUCH_ETAG = '"00000000000000000000000000000000"';

/**
 * Writes a small object, tries two writes that must be refused, and deletes it. Two nodes that claim one bucket are told
 * apart by such writes alone: a store that ignores conditions would let both of them own it.
 * @throws {ClusterError} `cluster_store_unconditional`, or another code of the store's
 */
export async function checkConditionalWrites(store: Store): Promise<void> {
  const key = `durable-kv/check/${randomUUID()}`;
  if (!(await store.put(key, "first", { ifNoneMatch: "*" }))) {
    throw new ClusterError(
      "cluster_store_refused",
      `The store ${store.options.endpoint} refuses to create an object with If-None-Match: *, though there is none of its name.`,
    );
  }
  try {
    if (await store.put(key, "second", { ifNoneMatch: "*" }))
      throw unconditional(store, "PUT with If-None-Match: * replaced an object");
    if (await store.put(key, "third", { ifMatch: NO_SUCH_ETAG }))
      throw unconditional(store, "PUT with If-Match replaced an object that has another ETag");
  } finally {
    await store.delete(key);
  }
}

function unconditional({ options }: Store, what: string): ClusterError {
  return new ClusterError(
    "cluster_store_unconditional",
    `The store ${options.endpoint} has no conditional writes: ${what}, and 412 was due. A cluster on it would lose data. Use one that has them, such as AWS S3, Cloudflare R2 or a recent MinIO.`,
  );
}
