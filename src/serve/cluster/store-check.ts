/** Checks that a store has what a cluster is built on: conditional writes. */

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ClusterError } from "./errors.ts";
import type { Store, WriteConditions } from "./store.ts";

/** An ETag that no object has. */
const NO_SUCH_ETAG = '"00000000000000000000000000000000"';
/** How many writes of one key are tried at once. */
const RACERS = 8;
/** How often a write is tried again that the store was too busy for. R2 takes one write of a key a second. */
const TRIES = 6;
const PAUSE_MS = 1_100;

export interface StoreCheckOptions {
  /** Ends the check when it is aborted. */
  readonly over?: AbortSignal;
  /** Milliseconds before a write is tried again; {@link PAUSE_MS} if left out. */
  readonly pauseMs?: number;
}

/**
 * Writes two small objects, tries writes that must be refused and one that must not, several at once, and deletes them. Two
 * nodes that claim one bucket are told apart by such writes alone: a store that ignores conditions, or looks and writes in two
 * steps, would let both of them own it.
 * @throws {ClusterError} `cluster_store_unconditional`, or another code of the store's
 */
export async function checkConditionalWrites(
  store: Store,
  { over, pauseMs = PAUSE_MS }: StoreCheckOptions = {},
): Promise<void> {
  const key = `durable-kv/check/${randomUUID()}`;
  const raced = `${key}-raced`;
  const put = async (conditions: WriteConditions): Promise<boolean> => {
    for (let tries = 1; ; tries += 1) {
      over?.throwIfAborted();
      try {
        return await store.put(key, randomUUID(), conditions);
      } catch (error) {
        if (!isBusy(error) || tries === TRIES) throw error;
        await sleep(pauseMs, undefined, over && { signal: over });
      }
    }
  };
  try {
    if (!(await put({ ifNoneMatch: "*" })))
      throw refused(store, "to create an object with If-None-Match: *, though there is none of its name");
    if (await put({ ifNoneMatch: "*" }))
      throw unconditional(store, "PUT with If-None-Match: * replaced an object");
    if (await put({ ifMatch: NO_SUCH_ETAG }))
      throw unconditional(store, "PUT with If-Match replaced an object that has another ETag");
    const { etag } = (await store.get(key)) ?? { etag: "" };
    if (!(await put({ ifMatch: etag })))
      throw refused(store, `PUT with If-Match and the ETag ${etag}, which it has just given for that object`);
    await race(store, raced, { ifNoneMatch: "*" });
    const found = await store.get(raced);
    if (found !== undefined) await race(store, raced, { ifMatch: found.etag });
  } finally {
    // What it has found must not be lost because a deletion fails.
    await Promise.allSettled([store.delete(key), store.delete(raced)]);
  }
}

/** Several writes at once, of which one at most may be done: none, if the store was too busy for all of them. */
async function race(store: Store, key: string, conditions: WriteConditions): Promise<void> {
  const racing = Array.from({ length: RACERS }, () => store.put(key, randomUUID(), conditions));
  // All of them, so that none comes after the deletion.
  const results = await Promise.allSettled(racing);
  const won = results.filter((result) => result.status === "fulfilled" && result.value).length;
  const condition = conditions.ifMatch === undefined ? "If-None-Match: *" : "If-Match";
  if (won > 1)
    throw unconditional(store, `${won} of ${RACERS} PUTs at once with ${condition} wrote one object`);
  const failed = results.find((result) => result.status === "rejected" && !isBusy(result.reason));
  if (failed?.status === "rejected") throw failed.reason;
}

const isBusy = (error: unknown): boolean =>
  error instanceof ClusterError && error.code === "cluster_store_busy";

function refused({ options }: Store, what: string): ClusterError {
  return new ClusterError("cluster_store_refused", `The store ${options.endpoint} refuses ${what}.`);
}

function unconditional({ options }: Store, what: string): ClusterError {
  return new ClusterError(
    "cluster_store_unconditional",
    `The store ${options.endpoint} has no conditional writes: ${what}, and 412 was due. A cluster on it would lose data. Use one that has them, such as AWS S3, Cloudflare R2 or a recent MinIO.`,
  );
}
