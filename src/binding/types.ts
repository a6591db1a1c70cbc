/** The service binding's types, for the Worker that binds it. */

import type { BoundBucket } from "./bucket.ts";
import type { KvEntrypoint } from "./entrypoint.ts";

/** `env.KV`, bound to the entrypoint `KvEntrypoint`. */
export interface KvBinding extends Pick<KvEntrypoint, "create" | "lookup" | "stop" | "exit" | "buckets"> {
  /** One bucket's verbs. It need not be there yet. */
  bucket(name: string): BucketBinding;
  /** One bucket as a `KVNamespace`. It need not be there yet: the first put creates it. */
  namespace(name: string): KVNamespace;
  /** The HTTP API. */
  fetch(input: string | Request, init?: RequestInit): Promise<Response>;
}

export type BucketBinding = Pick<
  BoundBucket,
  "get" | "getEntry" | "put" | "delete" | "increment" | "list" | "deleteRange" | "batch" | "transaction"
>;
