/** The objects under test: the real ones, under a clock that the tests can put forward. */

import { Bucket } from "../../src/bucket/bucket.ts";
import type { Answered } from "../../src/otp/exit.ts";
import { Registry } from "../../src/registry/registry.ts";

/** How much later it is for all objects than it is, in milliseconds. */
export const clock = { aheadMs: 0 };

/** Ids of all buckets' objects that have run, whether or not anybody still names them. */
export const bucketIds = new Set<string>();

const now = (): number => Date.now() + clock.aheadMs;

export class TestBucket extends Bucket {
  protected override readonly clock = now;

  constructor(...args: ConstructorParameters<typeof Bucket>) {
    super(...args);
    bucketIds.add(this.ctx.id.toString());
  }

  /** A bug in the bucket's own code. */
  crash(message: string): Answered<never> {
    return this.handleCall(() => {
      throw new TypeError(message);
    });
  }
}

export class TestRegistry extends Registry {
  protected override readonly clock = now;
}
