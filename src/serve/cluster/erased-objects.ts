/** Removes from the store what a stopped bucket leaves there: records without data, which nothing would ever ask for again. */

import { objectFolder } from "../capnp.ts";
import { checkPeriodically, FreedIds, type FreedIdsOptions } from "../freed-ids.ts";
import { isIdOf, OBJECTS } from "./layout.ts";
import type { Store } from "./store.ts";

export interface ErasedObjectsOptions extends FreedIdsOptions {
  readonly store: Store;
}

/**
 * A bucket wipes its data before its name is free, or before it says that it has none, and the engine then has an empty
 * database of it in the store, with a record of its owner. Each would stay forever.
 *
 * No data can be lost: the registry never gives a freed object a name again, ids are never reused, and no write to an object
 * without a name is ever acknowledged. A caller with a stale id finds an empty object, as before. What is left of objects that
 * found no place in the queue stays in the store: two small objects each, without data.
 */
export class ErasedObjects {
  readonly #store: Store;
  readonly #ids: FreedIds;
  /** `v1/do/<namespace>/` of buckets, once it is known. */
  #namespace: string | undefined;

  constructor({ store, ...options }: ErasedObjectsOptions) {
    this.#store = store;
    this.#ids = new FreedIds(options);
  }

  /** Checks periodically. @returns a function that stops it */
  watch(): () => void {
    return checkPeriodically(() => this.check());
  }

  /** Removes what is due. @returns of how many buckets @throws {ClusterError} if the store does not answer */
  async check(): Promise<number> {
    let removed = 0;
    for await (const id of this.#ids.due()) {
      // Kept in the queue until it is done.
      await this.#remove(id);
      this.#ids.done(id);
      removed += 1;
    }
    return removed;
  }

  async #remove(id: string): Promise<void> {
    this.#namespace ??= await this.#findNamespace();
    if (this.#namespace === undefined) return;
    const keys: string[] = [];
    for await (const page of this.#store.list(`${this.#namespace}${id}/`)) keys.push(...page.keys);
    // The owner's record last: until then the object is one that has an owner.
    const record = keys.filter((key) => key.endsWith("/own.json"));
    await Promise.all(keys.filter((key) => !record.includes(key)).map((key) => this.#store.delete(key)));
    for (const key of record) await this.#store.delete(key);
  }

  /** The folder whose objects are buckets, by the id of one of them. */
  async #findNamespace(): Promise<string | undefined> {
    for await (const { folders } of this.#store.list(OBJECTS, { folders: true })) {
      for (const namespace of folders) {
        const first = await this.#store.list(namespace, { folders: true }).next();
        const [object = ""] = first.done === true ? [] : first.value.folders;
        if (isIdOf(objectFolder("Bucket"), object.split("/").at(-2) ?? "")) return namespace;
      }
    }
    return undefined;
  }
}
