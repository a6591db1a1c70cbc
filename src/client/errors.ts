/** The client's errors: one class per group of codes. */

/** An error of the service, of the connection to it, or of a call that was refused before it was sent. */
export class KvError extends Error {
  override readonly name: string = "KvError";
  /** Stable machine-readable code, such as `key_not_found`. Decide by this, not by the message. */
  readonly code: string;
  /** The HTTP status; 0 if there was no response. */
  readonly status: number;
  /** Further members of the service's error, such as `reason`. */
  readonly details: Readonly<Record<string, unknown>>;
  /** Milliseconds to wait before a retry, if the service sent `Retry-After`. */
  readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, options: ErrorDetails = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.status = options.status ?? 0;
    this.details = options.details ?? {};
    this.retryAfterMs = options.retryAfterMs;
  }

  /** True if the request may have been carried out. False if it was not. */
  get outcomeUnknown(): boolean {
    // The response came from something else than the service, so its status says nothing about the request.
    if (this.code === "unexpected_answer") return true;
    return (this.status < 400 || this.status >= 500) && !NOT_DONE.has(this.code);
  }
}

/** Codes, of the service and of the client, that mean that nothing was done although the status is not 4xx. */
const NOT_DONE: ReadonlySet<string> = new Set([
  "storage_newer",
  "restart_intensity",
  "answers_too_long",
  "upload_lost",
  "auth_not_configured",
  "value_undecodable",
  "websocket_missing",
  "not_connected",
  "session_closed",
]);

export interface ErrorDetails {
  readonly status?: number;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
  readonly retryAfterMs?: number | undefined;
}

export class BucketNotFoundError extends KvError {
  override readonly name = "BucketNotFoundError";
}
export class PreconditionFailedError extends KvError {
  override readonly name = "PreconditionFailedError";
}
export class InvalidRequestError extends KvError {
  override readonly name = "InvalidRequestError";
}
export class TooLargeError extends KvError {
  override readonly name = "TooLargeError";
}
export class UnauthorizedError extends KvError {
  override readonly name = "UnauthorizedError";
}
export class NotAnIntegerError extends KvError {
  override readonly name = "NotAnIntegerError";
}
export class IncrementOverflowError extends KvError {
  override readonly name = "IncrementOverflowError";
}
export class IdempotencyKeyReusedError extends KvError {
  override readonly name = "IdempotencyKeyReusedError";
}
/** The change log no longer holds the position: start again, with a snapshot. */
export class RevisionCompactedError extends KvError {
  override readonly name = "RevisionCompactedError";
}
export class ImportStoppedError extends KvError {
  override readonly name = "ImportStoppedError";
}
/** The watched bucket has ended. `details.reason` says why. */
export class BucketDownError extends KvError {
  override readonly name = "BucketDownError";
}
/**
 * The codec can't decode a value. `details.key` names the entry. To continue after it, pass `details.id` as a watch's
 * `since`, or `details.cursor` as a list's `cursor`. `cause` is the codec's own error.
 */
export class DecodeError extends KvError {
  override readonly name = "DecodeError";
}
/** The service is temporarily unable to do this. */
export class UnavailableError extends KvError {
  override readonly name = "UnavailableError";
}
/** No response in time: the outcome is unknown. */
export class TimeoutError extends KvError {
  override readonly name = "TimeoutError";
}
/**
 * The connection broke and the outcome is unknown (`connection_lost`), or a session could not connect or was closed and
 * nothing was done (`not_connected`, `session_closed`).
 */
export class ConnectionError extends KvError {
  override readonly name = "ConnectionError";
}

const CLASSES: ReadonlyMap<string, typeof KvError> = new Map<string, typeof KvError>([
  ["bucket_not_found", BucketNotFoundError],
  ["precondition_failed", PreconditionFailedError],
  ["not_an_integer", NotAnIntegerError],
  ["increment_overflow", IncrementOverflowError],
  ["idempotency_key_reused", IdempotencyKeyReusedError],
  ["revision_compacted", RevisionCompactedError],
  ["import_stopped", ImportStoppedError],
  ["timeout", TimeoutError],
]);

/** Builds the error from the service's problem details. @param retryAfterMs from the `Retry-After` header */
export function errorOf(
  problem: {
    readonly code: string;
    readonly status: number;
    readonly detail: string;
    readonly [member: string]: unknown;
  },
  retryAfterMs?: number,
): KvError {
  const { code, status, detail, ...details } = problem;
  return new (CLASSES.get(code) ?? classOf(status))(code, detail, { status, details, retryAfterMs });
}

function classOf(status: number): typeof KvError {
  if (status === 401 || status === 403) return UnauthorizedError;
  if (status === 413) return TooLargeError;
  if (status >= 400 && status < 500) return InvalidRequestError;
  return status === 503 ? UnavailableError : KvError;
}
