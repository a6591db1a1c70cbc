/** What the platform hands to the Worker and its objects: the bindings of wrangler.toml. */

import type { Bucket } from "./bucket/bucket.ts";
import type { Registry } from "./registry/registry.ts";

export interface Env {
  readonly REGISTRY: DurableObjectNamespace<Registry>;
  readonly BUCKET: DurableObjectNamespace<Bucket>;
  readonly KV_PARTITIONS?: string;
  readonly KV_CALL_TIMEOUT_MS?: string;
  readonly KV_DIRECTORY_NAMES?: string;
  readonly KV_ORIGINS?: string;
  /** A secret. */
  readonly KV_TOKEN?: string;
  /** `loopback`: our own commands serve on this machine only, so callers need no token. Never deployed. */
  readonly KV_OPEN?: string;
}
