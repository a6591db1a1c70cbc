/** A bucket that is created when it is first needed: the option `create` of `kv.bucket`. */

import { BucketNotFoundError } from "./errors.ts";

/**
 * What happens when the bucket does not exist. Without `create`, both pass the error on; with it, a read finds nothing,
 * and anything else creates the bucket and is carried out again: "no such bucket" means that it was not carried out.
 */
export class FirstWrite {
  readonly #create: (() => Promise<unknown>) | undefined;

  /** @param create creates the bucket, unless it exists; undefined if nothing may create it */
  constructor(create: (() => Promise<unknown>) | undefined) {
    this.#create = create;
  }

  /** Whether a missing bucket is as good as an empty one. */
  get expected(): boolean {
    return this.#create !== undefined;
  }

  /** @throws {BucketNotFoundError} without `create` */
  async creating<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (this.#create === undefined || !(error instanceof BucketNotFoundError)) throw error;
      await this.#create();
      return work();
    }
  }

  /** @returns `nothing` if there is no bucket @throws {BucketNotFoundError} without `create` */
  async reading<T>(read: () => Promise<T>, nothing: T): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (this.#create === undefined || !(error instanceof BucketNotFoundError)) throw error;
      return nothing;
    }
  }

  /** Creates the bucket now, unless it exists or nothing may create it: for what can't be carried out twice. */
  async before(): Promise<void> {
    await this.#create?.();
  }
}
