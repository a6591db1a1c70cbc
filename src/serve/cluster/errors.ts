/** Errors of `durable-kv cluster`, each with a stable code that scripts can look for. */

import { StartupError } from "../run-program.ts";

export type ClusterErrorCode =
  | "cluster_option_invalid"
  | "cluster_platform_unsupported"
  | "cluster_port_unavailable"
  | "cluster_token_missing"
  | "cluster_engine_missing"
  | "cluster_key_missing"
  | "cluster_key_too_short"
  | "cluster_credentials_missing"
  | "cluster_address_public"
  | "cluster_address_unknown"
  | "cluster_endpoint_path"
  | "cluster_store_unreachable"
  | "cluster_store_refused"
  | "cluster_store_no_bucket"
  | "cluster_store_full"
  | "cluster_store_busy"
  | "cluster_store_unconditional"
  | "cluster_data_of_single_server"
  | "cluster_data_of_other_cluster"
  | "cluster_not_running";

/** An error that the user can fix. Its message ends with its code. */
export class ClusterError extends StartupError {
  readonly code: ClusterErrorCode;

  constructor(code: ClusterErrorCode, message: string) {
    super(`${message} (${code})`);
    this.code = code;
  }
}
