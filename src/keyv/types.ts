/** What the store is created with, and what it stores. */

import type { Kv, KvOptions } from "../client/kv.ts";
import type { BucketOptions } from "../client/types.ts";

/** Where the bucket is: a client, or what makes one. */
export type KeyvDurableKvOptions = (KvOptions | { readonly kv: Kv }) & {
  readonly bucket: string;
  /** What the bucket is created with, if it is not there when something is first set. */
  readonly create?: BucketOptions;
};

/** An entry to set. */
export interface Setting {
  readonly key: string;
  readonly value: unknown;
  /** Milliseconds; for ever if left out, or Infinity. */
  readonly ttl?: number | undefined;
}
