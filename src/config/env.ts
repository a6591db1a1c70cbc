/** What the platform hands to the Worker and its objects: the bindings of wrangler.toml. */

import type { BucketRpc } from "../rpc/bucket-rpc.ts";
import type { RegistryRpc } from "../rpc/registry-rpc.ts";

/** Variables that hold a whole number. */
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

export interface Env extends Partial<Readonly<Record<IntegerSetting, string>>> {
  readonly REGISTRY: DurableObjectNamespace<RegistryRpc>;
  readonly BUCKET: DurableObjectNamespace<BucketRpc>;
  readonly KV_ORIGINS?: string;
  /** A secret. */
  readonly KV_TOKEN?: string;
  /** `loopback`: our own commands serve on this machine only, so callers need no token. Never deployed. */
  readonly KV_OPEN?: string;
  /** How many files the engine may have open, where it is a process of this machine. */
  readonly KV_FILES?: string;
}
