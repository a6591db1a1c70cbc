/** Every error that a caller can meet, by its stable code. */

import { Exit, Refusal } from "../otp/exit.ts";

interface Meaning {
  /** The HTTP status that carries it. */
  readonly status: number;
  /** The same for each occurrence (RFC 9457 §3.1.3). */
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

export const ERROR_CODES = Object.keys(meanings) as readonly ErrorCode[];

/** A request that was turned down. Nothing was changed. */
export class KvError extends Refusal {
  override readonly name = "KvError";

  constructor(code: ErrorCode, message: string) {
    super(code, message);
  }

  /** The same, with the place in the request where it was met. */
  at(place: string): KvError {
    return new KvError(this.code as ErrorCode, `${place}: ${this.message}`);
  }
}

/** What went wrong, ready to be written in any protocol. */
export interface Failure extends Meaning {
  readonly code: ErrorCode;
  /** What happened this time, and what to do about it. */
  readonly detail: string;
}

/** For a caller that arrives, or is still connected, while the server ends. */
export function serverStopping(): Failure {
  return failure("server_stopping", "The server is about to end. Nothing was done: come back in a moment.");
}

/** For a request that was under way when a server ended, and could not be waited for. */
export function serverStopped(): Failure {
  return failure(
    "unavailable",
    "The server ended before this was answered. The outcome is unknown: read before you try again.",
  );
}

/** For a write, or a read, whose condition stops it. */
export function preconditionFailed(): KvError {
  return new KvError(
    "precondition_failed",
    "The condition of this request did not hold. Nothing was changed.",
  );
}

/** For a list that would go on in another bucket. */
export function bucketChanged(): KvError {
  return new KvError(
    "bucket_changed",
    "The bucket of the pages before has ended, and another one has its name. Begin again without a cursor.",
  );
}

/** For a connection that has to be turned away so that those that are there can go on. */
export function tooManyConnections(): KvError {
  return new KvError(
    "too_many_connections",
    "There are as many connections as there may be. Try again later.",
  );
}

/** Characters in the longest detail. A detail may name what was given, and that may be megabytes. */
const MAX_DETAIL_LENGTH = 600;

/** An error code with its meaning. */
export function failure(code: ErrorCode, detail: string): Failure {
  return { code, detail: shortened(detail), ...meanings[code] };
}

/** Without its middle, if it is long: how it begins and what to do about it stay. */
function shortened(text: string): string {
  if (text.length <= MAX_DETAIL_LENGTH) return text;
  const half = MAX_DETAIL_LENGTH / 2 - 1;
  return `${text.slice(0, half)}…${text.slice(-half)}`.toWellFormed();
}

/** Says of anything that was thrown what to tell the caller. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Refusal && isErrorCode(error.code)) return failure(error.code, error.message);
  if (error instanceof Exit) return failureOfExit(error);
  console.error("unexpected", error);
  return failure("crash", "The service met an unexpected error. The outcome of the request is unknown.");
}

function failureOfExit(exit: Exit): Failure {
  const { reason } = exit;
  if (typeof reason === "object") {
    console.error("crash", reason.crash);
    return failure("crash", "The bucket or registry failed while it worked. The outcome is unknown.");
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
  if (exit.overloaded)
    return failure("overloaded", "The bucket has too much to do. Slow down, then try again.");
  console.error(reason, exit.cause);
  return failure("unavailable", `The bucket could not be reached (${reason}). The outcome is unknown.`);
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(meanings, code);
}
