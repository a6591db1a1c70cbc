/** The way from a binding's object to its bucket. */

import { BucketHandle } from "../directory/bucket-handle.ts";
import type { Directory } from "../directory/directory.ts";
import { KvError } from "../model/errors.ts";
import { bucketName } from "../model/validators.ts";
import { orBindingError } from "./failures.ts";

/** Held by what other Workers reach, and not inherited by it: each method of theirs could be called from outside. */
export class Reach {
  readonly bucket: BucketHandle;

  constructor(directory: Directory, name: string) {
    this.bucket = new BucketHandle(directory, name, { missing: bucketNotFound });
  }

  /**
   * Does what a verb does. An invalid name is reported here: a caller that goes on at once with the bucket it has asked for
   * hears of it once.
   */
  verb<T>(work: (bucket: BucketHandle) => Promise<T>): Promise<T> {
    return orBindingError(async () => {
      bucketName(this.bucket.name);
      return work(this.bucket);
    });
  }
}

function bucketNotFound(name: string): KvError {
  return new KvError("bucket_not_found", `There is no bucket ${name}. Create it: create("${name}")`);
}
