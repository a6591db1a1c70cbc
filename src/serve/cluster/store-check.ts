/** Checks that a store has what a cluster is built on: conditional writes. */

import { randomUUID } from "node:crypto";
import { ClusterError } from "./errors.ts";
import type { Store } from "./store.ts";

/** An ETag that no object has. */
const NO_SUCH_ETAG = '"00000000000000000000000000000000"';
/** How many writes of one key are tried at once. */
const RACERS = 8;

/**
 * Writes two small objects, tries writes that must be refused and one that must not, several at once, and deletes them. Two
 * nodes that claim one bucket are told apart by such writes alone: a store that ignores conditions, or looks and writes in two
 * steps, would let both of them own it.
 * @throws {ClusterError} `cluster_store_unconditional`, or another code of the store's
 */
export async function checkConditionalWrites(store: Store): Promise<void> {
  const key = `durable-kv/check/${randomUUID()}`;
  const raced = `${key}-raced`;
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
    const { etag } = (await store.get(key)) ?? { etag: "" };
    if (!(await store.put(key, "fourth", { ifMatch: etag }))) {
      throw new ClusterError(
        "cluster_store_refused",
        `The store ${store.options.endpoint} refuses PUT with If-Match and the ETag ${etag}, which it has just given for that object.`,
      );
    }
    const racing = Array.from({ length: RACERS }, (_, n) =>
      store.put(raced, String(n), { ifNoneMatch: "*" }),
    );
    const won = (await Promise.all(racing)).filter(Boolean).length;
    // None, if it tells all of them that another one is under way.
    if (won > 1)
      throw unconditional(store, `${won} of ${RACERS} PUTs at once with If-None-Match: * wrote one object`);
  } finally {
    await Promise.all([store.delete(key), store.delete(raced)]);
  }
}

function unconditional({ options }: Store, what: string): ClusterError {
  return new ClusterError(
    "cluster_store_unconditional",
    `The store ${options.endpoint} has no conditional writes: ${what}, and 412 was due. A cluster on it would lose data. Use one that has them, such as AWS S3, Cloudflare R2 or a recent MinIO.`,
  );
}
