/** A bucket that is created when it is first needed: the option `create` of `kv.bucket`. */

import type { JsonObject } from "./caller.ts";
import { timeLeft } from "./deadline.ts";
import { BucketNotFoundError, KvError } from "./errors.ts";
import type { CallOptions } from "./types.ts";

/**
 * What happens when the bucket does not exist. Without `create`, both pass the error on; with it, a read finds nothing,
 * and anything else creates the bucket and is carried out again: "no such bucket" means that it was not carried out.
 */
export class FirstWrite {
  readonly #create: ((call: CallOptions) => Promise<unknown>) | undefined;

  /** @param create creates the bucket, unless it exists; undefined if nothing may create it */
  constructor(create: ((call: CallOptions) => Promise<unknown>) | undefined) {
    this.#create = create;
  }

  /**
   * @param work gets the options of each attempt: `timeoutMs` covers them all, and the create
   * @throws {BucketNotFoundError} without `create`
   */
  async creating<T>(work: (call: CallOptions) => Promise<T>, { signal, timeoutMs }: CallOptions): Promise<T> {
    const left = timeLeft(timeoutMs);
    try {
      return await work({ signal, timeoutMs });
    } catch (error) {
      if (!(await this.created(error, { signal, timeoutMs: left() }))) throw error;
      return work({ signal, timeoutMs: left() });
    }
  }

  /** Creates the bucket, if it is missing by this error, and may be created. @returns whether it is there now */
  async created(error: unknown, call: CallOptions): Promise<boolean> {
    if (!this.#mayCreate(error)) return false;
    await this.before(call);
    return true;
  }

  /** @returns `nothing` if there is no bucket @throws {BucketNotFoundError} without `create` */
  async reading<T>(read: () => Promise<T>, nothing: T): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (!this.#mayCreate(error)) throw error;
      return nothing;
    }
  }

  /** Creates the bucket now, unless it exists or nothing may create it: for what can't be carried out twice. */
  async before(call: CallOptions): Promise<void> {
    try {
      await this.#create?.(call);
    } catch (error) {
      // One with other options is as good: they are of use only where it is created.
      if (!(error instanceof KvError && error.code === "bucket_exists_differently")) throw error;
    }
  }

  #mayCreate(error: unknown): boolean {
    return this.#create !== undefined && error instanceof BucketNotFoundError;
  }
}

/** The operations that store nothing, with what they say of a key that does not exist. */
const EMPTY: ReadonlyMap<unknown, JsonObject> = new Map<unknown, JsonObject>([
  ["get", { found: false }],
  ["delete", { deleted: false }],
  ["getAndDelete", { found: false }],
]);

/** Whether the operations of a batch store nothing, and so need no bucket. A key that has to match needs one. */
export function isEmptyWithoutBucket(operations: readonly JsonObject[]): boolean {
  return operations.every(({ op, ifMatch }) => EMPTY.has(op) && ifMatch === undefined);
}

/** The response to such a batch where there is no bucket. */
export function resultsWithoutBucket(operations: readonly JsonObject[]): unknown {
  return { results: operations.map(({ op, key }) => ({ op, key, ...EMPTY.get(op) })) };
}
