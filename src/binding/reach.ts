/** The way from a binding's object to its bucket. */

import { Transfer } from "../directory/transfer.ts";
import { bucketName } from "../model/limits.ts";
import type { BucketCall, Directory } from "../directory/directory.ts";
import { orBindingError } from "./failures.ts";

/** Held by what other Workers reach, and not inherited by it: each method there would be theirs to call. */
export class Reach {
  readonly directory: Directory;
  readonly name: string;
  /** Asks whichever bucket has the name. */
  readonly call: BucketCall;
  readonly transfer: Transfer;

  constructor(directory: Directory, name: string, keepAlive: (sent: Promise<unknown>) => void) {
    this.directory = directory;
    this.name = name;
    this.call = directory.named(name);
    this.transfer = new Transfer(this.call, keepAlive);
  }

  /**
   * Does what a verb does. A name that can't be is told of here: whoever goes on at once with the bucket that was asked
   * for hears it once.
   */
  verb<T>(work: () => Promise<T>): Promise<T> {
    return orBindingError(async () => {
      bucketName(this.name);
      return work();
    });
  }
}
