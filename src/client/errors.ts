/** What can go wrong, as classes by code. */

/** An error of the service, or on the way to it. */
export class KvError extends Error {
  override readonly name: string = "KvError";
  /** Stable: the part to decide by. */
  readonly code: string;
  /** The HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** What else the service said of it. */
  readonly details: Readonly<Record<string, unknown>>;
  /** Milliseconds after which it may be tried again, where the service has said so (`Retry-After`). */
  readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, options: ErrorDetails = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.status = options.status ?? 0;
    this.details = options.details ?? {};
    this.retryAfterMs = options.retryAfterMs;
  }

  /** Whether it is not known if the request was done. Otherwise it was not. */
  get outcomeUnknown(): boolean {
    // What somebody else says of it, whatever that is, is not the service's word.
    if (this.code === "unexpected_answer") return true;
    return (this.status < 400 || this.status >= 500) && !NOT_DONE.has(this.code);
  }
}

/** Codes of the service's, and of the client's, that say that nothing was done. */
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
/** The changes behind the position are no longer kept: begin anew, with a snapshot. */
export class RevisionCompactedError extends KvError {
  override readonly name = "RevisionCompactedError";
}
export class ImportStoppedError extends KvError {
  override readonly name = "ImportStoppedError";
}
/** The bucket has ended while it was watched. `details.reason` says why. */
export class BucketDownError extends KvError {
  override readonly name = "BucketDownError";
}
/**
 * A value that the codec can't read. `details.key` says whose; what to go on with behind it is `details.id` in a watch
 * and `details.cursor` in a list. The cause is the codec's own error.
 */
export class DecodeError extends KvError {
  override readonly name = "DecodeError";
}
/** The service could not do it now. */
export class UnavailableError extends KvError {
  override readonly name = "UnavailableError";
}
/** No answer in time: the outcome is unknown. */
export class TimeoutError extends KvError {
  override readonly name = "TimeoutError";
}
/** The connection broke: the outcome is unknown. Or a session could not connect (`not_connected`): nothing was done. */
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

/** The error for what the service said. @param retryAfterMs what it said beside that of when to come back */
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
