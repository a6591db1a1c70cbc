/** Removes from the store what a stopped bucket leaves there: records without data, which nothing would ever ask for again. */

import { objectFolder } from "../capnp.ts";
import { isIdOf, OBJECTS } from "./layout.ts";
import type { Store } from "./store.ts";

/** Milliseconds between two checks. */
const CHECK_EVERY_MS = 15_000;
/** Milliseconds from the loss of an object's name to the removal. Its node has closed it by then, and writes nothing more. */
export const WAIT_MS = 180_000;
/** Most ids in the queue. What is left of further ones stays in the store: two small objects each, without data. */
const MAX_QUEUED = 100_000;
const ID = /^[0-9a-f]{64}$/;

export interface ErasedObjectsOptions {
  readonly store: Store;
  /** Returns the ids of objects that have lost their name since the last call. */
  readonly freed: () => Promise<readonly string[]>;
  /** A monotonic clock, in milliseconds. */
  readonly clock: () => number;
}

/**
 * A bucket wipes its data before its name is free, and the engine then has an empty database of it in the store, with a
 * record of its owner. Each would stay forever.
 *
 * No data can be lost: the registry never gives a freed object a name again, ids are never reused, and no write to an object
 * without a name is ever acknowledged. Somebody with a stale id finds an empty object, as before.
 */
export class ErasedObjects {
  readonly #options: ErasedObjectsOptions;
  /** Ids with the time at which they were freed, oldest first. */
  readonly #queue = new Map<string, number>();
  /** `v1/do/<namespace>/` of buckets, once it is known. */
  #namespace: string | undefined;

  constructor(options: ErasedObjectsOptions) {
    this.#options = options;
  }

  /** Checks periodically. @returns a function that stops it */
  watch(): () => void {
    let isChecking = false;
    const check = async (): Promise<void> => {
      if (isChecking) return;
      isChecking = true;
      // The store is away: the next check tries again.
      await this.check().catch(() => undefined);
      isChecking = false;
    };
    const timer = setInterval(() => void check(), CHECK_EVERY_MS);
    timer.unref();
    return () => clearInterval(timer);
  }

  /** Removes what is due. @returns of how many buckets @throws {ClusterError} if the store does not answer */
  async check(): Promise<number> {
    const { freed, clock } = this.#options;
    for (const id of await freed()) {
      if (ID.test(id) && this.#queue.size < MAX_QUEUED) this.#queue.set(id, clock());
    }
    let removed = 0;
    for (const [id, since] of this.#queue) {
      if (clock() - since < WAIT_MS) break;
      // Kept in the queue until it is done.
      await this.#remove(id);
      this.#queue.delete(id);
      removed += 1;
    }
    return removed;
  }

  async #remove(id: string): Promise<void> {
    const { store } = this.#options;
    this.#namespace ??= await this.#findNamespace();
    if (this.#namespace === undefined) return;
    const keys: string[] = [];
    for await (const page of store.list(`${this.#namespace}${id}/`)) keys.push(...page.keys);
    // The owner's record last: until then the object is one that has an owner.
    const record = keys.filter((key) => key.endsWith("/own.json"));
    await Promise.all(keys.filter((key) => !record.includes(key)).map((key) => store.delete(key)));
    for (const key of record) await store.delete(key);
  }

  /** The folder whose objects are buckets, by the id of one of them. */
  async #findNamespace(): Promise<string | undefined> {
    const { store } = this.#options;
    for await (const { folders } of store.list(OBJECTS, { folders: true })) {
      for (const namespace of folders) {
        const first = await store.list(namespace, { folders: true }).next();
        const [object = ""] = first.done === true ? [] : first.value.folders;
        if (isIdOf(objectFolder("Bucket"), object.split("/").at(-2) ?? "")) return namespace;
      }
    }
    return undefined;
  }
}
