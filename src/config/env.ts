/** The environment of the Worker and its objects: the bindings and variables of wrangler.toml. */

import type { BucketRpc } from "../rpc/bucket-rpc.ts";
import type { RegistryRpc } from "../rpc/registry-rpc.ts";

/** Variables that hold an integer; settings.ts has their ranges and defaults. */
export type IntegerSetting =
  | "KV_PARTITIONS"
  | "KV_CALL_TIMEOUT_MS"
  | "KV_SWEEP_PERIOD_MS"
  | "KV_SWEEP_BATCH"
  | "KV_PROBE_TIMEOUT_MS"
  | "KV_RECHECK_MS"
  | "KV_ORPHAN_PERIOD_MS"
  | "KV_EVENT_LOG"
  | "KV_CHANGE_LOG"
  | "KV_CHANGE_LOG_AGE_MS"
  | "KV_HEARTBEAT_MS"
  | "KV_DIRECTORY_NAMES"
  | "KV_MAX_CONNECTIONS";

/** The environment, unchecked. */
export interface Env extends Partial<Readonly<Record<IntegerSetting, string>>> {
  readonly REGISTRY: DurableObjectNamespace<RegistryRpc>;
  readonly BUCKET: DurableObjectNamespace<BucketRpc>;
  /** Origins that may use the service from a web page, separated by blanks. */
  readonly KV_ORIGINS?: string;
  /** Where new buckets are placed: `caller` or `registry`. */
  readonly KV_PLACE_NEAR?: string;
  /** The token; a secret. */
  readonly KV_TOKEN?: string;
  /** `loopback`: the local server listens on this machine only, so callers need no token. Never set in a deployment. */
  readonly KV_OPEN?: string;
  /** How many files the local server's engine may open. Not set in a deployment. */
  readonly KV_FILES?: string;
}
