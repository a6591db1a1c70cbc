/** Connects an RPC object of the binding with its bucket. */

import { BucketHandle, existsDifferently, isNoBucket } from "../directory/bucket-handle.ts";
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
    return this.write(work, () => nothing);
  }

  /**
   * As {@link verb}, for a write: it may create the bucket, and is then carried out again. "No such bucket" means that it
   * was not carried out.
   * @param work what can be carried out only once, like the put of a stream, calls `create` before that
   * @param empty its result where there is no bucket, if it stores nothing and so needs none; undefined if it needs one.
   *   Asked after `work`, which has then checked what it was given
   */
  write<T>(
    work: (bucket: BucketHandle, create: () => Promise<void>) => Promise<T>,
    empty: () => T | undefined = () => undefined,
  ): Promise<T> {
    return this.verb(async (bucket) => {
      const options = this.#createOptions();
      if (options === undefined) return work(bucket, noCreate);
      let created = false;
      const create = async (): Promise<void> => {
        created = true;
        await ensure(bucket, options);
      };
      try {
        return await work(bucket, create);
      } catch (error) {
        if (created || !isNoBucket(error)) throw error;
        const nothing = empty();
        if (nothing !== undefined) return nothing;
        await create();
        return work(bucket, noCreate);
      }
    });
  }
}

async function noCreate(): Promise<void> {
  // Nothing may create the bucket, or it was created already.
}

/** Creates the bucket. One that exists with other options is as good: they are of use only where it is created. */
async function ensure(bucket: BucketHandle, options: CreateOptions): Promise<void> {
  try {
    await bucket.create(options);
  } catch (error) {
    if (!existsDifferently(error)) throw error;
  }
}

function bucketNotFound(name: string): KvError {
  return new KvError(
    "bucket_not_found",
    `There is no bucket ${name}. Create it: create("${name}"), or open it with { create: true }`,
  );
}
