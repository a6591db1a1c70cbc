/** Errors: every stable code that a caller can receive, with its HTTP status and title. */

import type { FailureJson } from "../contract/failure.ts";
import { Exit, Refusal } from "../otp/exit.ts";
import { logIncident } from "../otp/incident.ts";

interface Meaning {
  /** The HTTP status of the response. */
  readonly status: number;
  /** A short summary, the same for each occurrence (RFC 9457 §3.1.3). */
  readonly title: string;
}

const meanings = {
  bucket_name_invalid: { status: 400, title: "Invalid bucket name" },
  key_invalid: { status: 400, title: "Invalid key" },
  key_too_long: { status: 400, title: "Key too long" },
  value_too_large: { status: 413, title: "Value too large" },
  value_invalid: { status: 400, title: "Invalid value" },
  metadata_too_large: { status: 400, title: "Metadata too large" },
  content_type_invalid: { status: 400, title: "Invalid content type" },
  body_invalid: { status: 400, title: "Invalid request body" },
  body_too_large: { status: 413, title: "Request body too large" },
  query_invalid: { status: 400, title: "Invalid query" },
  header_invalid: { status: 400, title: "Invalid header" },
  cursor_invalid: { status: 400, title: "Invalid cursor" },
  quoting_invalid: { status: 400, title: "Invalid quoting" },
  too_long: { status: 413, title: "Line too long" },
  wrong_protocol: { status: 400, title: "Wrong protocol" },
  bucket_exists_differently: { status: 409, title: "Bucket exists with other options" },
  bucket_changed: { status: 409, title: "Another bucket has the name" },
  bucket_not_found: { status: 404, title: "Bucket not found" },
  key_not_found: { status: 404, title: "Key not found" },
  path_not_found: { status: 404, title: "No such path" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  upgrade_required: { status: 426, title: "WebSocket upgrade required" },
  precondition_failed: { status: 412, title: "Precondition failed" },
  not_an_integer: { status: 409, title: "Value is not an integer" },
  increment_overflow: { status: 409, title: "Increment overflows" },
  expires_invalid: { status: 400, title: "Invalid time to live" },
  range_not_satisfiable: { status: 416, title: "Range not satisfiable" },
  revision_compacted: { status: 410, title: "Changes no longer kept" },
  slow_reader: { status: 503, title: "Reader too slow" },
  upload_lost: { status: 503, title: "Upload lost" },
  result_too_large: { status: 413, title: "Result too large" },
  answers_too_long: { status: 503, title: "Too many answers for one message" },
  not_comparable: { status: 409, title: "Value can't be compared" },
  content_encoding_unsupported: { status: 415, title: "Content encoding not supported" },
  idempotency_key_reused: { status: 422, title: "Idempotency key used for another request" },
  import_stopped: { status: 422, title: "Import stopped" },
  wrong_bucket: { status: 400, title: "Another bucket's connection" },
  needs_connection: { status: 400, title: "Needs a connection" },
  unauthorized: { status: 401, title: "Unauthorized" },
  origin_not_allowed: { status: 403, title: "Origin not allowed" },
  read_only: { status: 403, title: "Read-only binding" },
  host_not_allowed: { status: 403, title: "Host not allowed" },
  auth_not_configured: { status: 503, title: "Authorization not configured" },
  settings_invalid: { status: 500, title: "Invalid settings" },
  partitions_mismatch: { status: 500, title: "Partition count mismatch" },
  reason_invalid: { status: 400, title: "Invalid exit reason" },
  too_many_connections: { status: 503, title: "Too many connections" },
  server_stopping: { status: 503, title: "Server stopping" },
  too_many_monitors: { status: 429, title: "Too many monitors" },
  storage_newer: { status: 503, title: "Data of a newer version" },
  restart_intensity: { status: 503, title: "Restarted too often" },
  events_expired: { status: 410, title: "Events no longer kept" },
  jurisdiction_unavailable: { status: 400, title: "Jurisdiction not available" },
  subscription_lost: { status: 503, title: "Subscription lost" },
  timeout: { status: 504, title: "No reply in time" },
  overloaded: { status: 503, title: "Overloaded" },
  unavailable: { status: 503, title: "Unavailable" },
  crash: { status: 500, title: "Internal error" },
} as const satisfies Record<string, Meaning>;

/** A stable error code: `snake_case` over HTTP, the same in upper case in the text protocol. */
export type ErrorCode = keyof typeof meanings;

/** All error codes. */
export const ERROR_CODES = Object.keys(meanings) as readonly ErrorCode[];

/** A refused request. It changed nothing. */
export class KvError extends Refusal {
  override readonly name = "KvError";

  constructor(code: ErrorCode, message: string) {
    super(code, message);
  }

  /** The same error with its place in the request in front, for example `then[0]`. */
  at(place: string): KvError {
    return new KvError(this.code as ErrorCode, `${place}: ${this.message}`);
  }
}

/** An error as every protocol reports it. */
export interface Failure extends Meaning, FailureJson {
  readonly code: ErrorCode;
}

/** The failure of a request that arrives, or of a connection that is still open, while the server stops. */
export function serverStopping(): Failure {
  return failure("server_stopping", "The server is stopping. Nothing was done: try again in a moment.");
}

/** The failure of a request that was still running when the server stopped. */
export function serverStopped(): Failure {
  return failure(
    "unavailable",
    "The server stopped before it answered. The outcome is unknown: read before you try again.",
  );
}

/** The error of a conditional read or write whose condition does not hold. */
export function preconditionFailed(): KvError {
  return new KvError(
    "precondition_failed",
    "The condition of this request did not hold. Nothing was changed.",
  );
}

/** The error of a list whose cursor belongs to an earlier bucket of the same name. */
export function bucketChanged(): KvError {
  return new KvError(
    "bucket_changed",
    "The bucket of this cursor has ended, and another bucket has its name. Start again without a cursor.",
  );
}

/** The error of a connection over the limit; the open connections continue. */
export function tooManyConnections(): KvError {
  return new KvError("too_many_connections", "The connection limit is reached. Try again later.");
}

/** Maximum length of a detail in characters. A detail may quote the request, which may be megabytes long. */
const MAX_DETAIL_LENGTH = 600;

/** The failure with this code; a long detail is shortened. */
export function failure(code: ErrorCode, detail: string): Failure {
  return { code, detail: shortened(detail), ...meanings[code] };
}

/** Cuts the middle out of a long text: the beginning, and the advice at the end, remain. */
function shortened(text: string): string {
  if (text.length <= MAX_DETAIL_LENGTH) return text;
  const half = MAX_DETAIL_LENGTH / 2 - 1;
  return `${text.slice(0, half)}…${text.slice(-half)}`.toWellFormed();
}

/**
 * The failure to report for anything that was thrown. An unexpected error is logged and reported as `crash`. The detail of
 * what was logged has its id: see otp/incident.ts.
 */
export function failureOf(error: unknown): Failure {
  if (error instanceof Refusal && isErrorCode(error.code)) return failure(error.code, error.message);
  if (error instanceof Exit) return failureOfExit(error);
  return incident(
    "crash",
    "The service had an unexpected error. The outcome of the request is unknown.",
    logIncident("unexpected", error),
  );
}

function failureOfExit(exit: Exit): Failure {
  const { reason } = exit;
  if (typeof reason === "object") {
    return incident(
      "crash",
      "The bucket or the registry crashed during this request. The outcome is unknown.",
      logIncident("crash", reason.crash, reason.incident),
    );
  }
  if (reason === "timeout") {
    return failure(
      "timeout",
      "No reply within the deadline. The outcome is unknown: read before you try again.",
    );
  }
  if (reason === "restarting") {
    return failure("unavailable", "The bucket is being restarted. Nothing was done: try again.");
  }
  if (exit.overloaded) return failure("overloaded", "The bucket is overloaded. Slow down, then try again.");
  return incident(
    "unavailable",
    `The bucket could not be reached (${reason}). The outcome is unknown.`,
    logIncident(reason, exit.cause),
  );
}

/** A failure that was logged: its detail says under which id. */
function incident(code: ErrorCode, detail: string, id: string): Failure {
  return failure(code, `${detail} The logs have it as incident ${id}.`);
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(meanings, code);
}
