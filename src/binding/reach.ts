/** Connects an RPC object of the binding with its bucket. */

import { BucketHandle } from "../directory/bucket-handle.ts";
import type { Directory } from "../directory/directory.ts";
import { KvError } from "../model/errors.ts";
import { bucketName } from "../model/validators.ts";
import { orBindingError } from "./failures.ts";

/** A member of the RPC objects, not a base class: other Workers could call every inherited method. */
export class Reach {
  readonly bucket: BucketHandle;

  constructor(directory: Directory, name: string) {
    this.bucket = new BucketHandle(directory, name, { missing: bucketNotFound });
  }

  /**
   * Runs a method; errors get their code. The bucket's name is checked here, not when the object is made, so that a
   * caller that pipelines its calls gets the error once.
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
