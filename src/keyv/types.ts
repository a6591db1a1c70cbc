/** The store's option types. */

import type { Kv, KvOptions } from "../client/kv.ts";
import type { BucketOptions } from "../client/types.ts";

/** The bucket's name, and a client or the options to create one. */
export type KeyvDurableKvOptions = (KvOptions | { readonly kv: Kv }) & {
  readonly bucket: string;
  /** Options for creating the bucket, if it does not exist at the first `set`. */
  readonly create?: BucketOptions;
};

/** One entry of `setMany`. */
export interface Setting {
  readonly key: string;
  readonly value: unknown;
  /** Time to live in milliseconds; no expiry if undefined or Infinity. */
  readonly ttl?: number | undefined;
}
