/** Connects an RPC object of the binding with its bucket. */

import { BucketHandle, isNoBucket, orNoBucket } from "../directory/bucket-handle.ts";
import type { Directory } from "../directory/directory.ts";
import { KvError } from "../model/errors.ts";
import type { CreateOptions } from "../model/registration.ts";
import { bucketName } from "../model/validators.ts";
import { orBindingError } from "./failures.ts";

/** A member of the RPC objects, not a base class: other Workers could call every inherited method. */
export class Reach {
  /** The bucket's name, unchecked. */
  readonly name: string;
  readonly #directory: () => Directory;
  readonly #createOptions: () => CreateOptions | undefined;

  /**
   * @param create the options with which a write creates a missing bucket; undefined: nothing creates it. Checked when a
   *   method is called, like the name
   */
  constructor(
    directory: () => Directory,
    name: string,
    create: () => CreateOptions | undefined = () => undefined,
  ) {
    this.#directory = directory;
    this.name = name;
    this.#createOptions = create;
  }

  /** The bucket's handle. @throws {KvError} `settings_invalid` */
  get bucket(): BucketHandle {
    return new BucketHandle(this.#directory(), this.name, { missing: bucketNotFound });
  }

  /**
   * Runs a method; errors get their code. Settings and the bucket's name are checked here, not when the object is made,
   * so that a caller that pipelines its calls gets the error once.
   */
  verb<T>(work: (bucket: BucketHandle) => Promise<T>): Promise<T> {
    return orBindingError(async () => {
      bucketName(this.name);
      return work(this.bucket);
    });
  }

  /** As {@link verb}, for a read: a bucket that a write would create is empty. */
  read<T>(nothing: T, work: (bucket: BucketHandle) => Promise<T>): Promise<T> {
    return this.verb(async (bucket) => {
      if (this.#createOptions() === undefined) return work(bucket);
      const found = await orNoBucket(work(bucket));
      return found === undefined ? nothing : found;
    });
  }

  /**
   * As {@link verb}, for a write: it may create the bucket, and is then carried out again. "No such bucket" means that it
   * was not carried out.
   * @param once whether it can be carried out only once, like the put of a stream: the bucket is then created before
   */
  write<T>(work: (bucket: BucketHandle) => Promise<T>, once = false): Promise<T> {
    return this.verb(async (bucket) => {
      const options = this.#createOptions();
      if (options === undefined) return work(bucket);
      if (once) await bucket.create(options);
      try {
        return await work(bucket);
      } catch (error) {
        if (once || !isNoBucket(error)) throw error;
        await bucket.create(options);
        return work(bucket);
      }
    });
  }
}

function bucketNotFound(name: string): KvError {
  return new KvError(
    "bucket_not_found",
    `There is no bucket ${name}. Create it: create("${name}"), or open it with { create: true }`,
  );
}
