/** The client's errors: one class per group of codes. */

/**
 * An error of the service, of the connection to it, or of a call that was refused before it was sent.
 * @example
 * ```ts
 * const error = await kv.bucket("nowhere").put("milk", 3).catch((reason) => reason);
 * console.log(error instanceof KvError, error.code, error.outcomeUnknown); // true bucket_not_found false
 * ```
 */
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
  readonly #partlyDone: boolean;

  constructor(code: string, message: string, options: ErrorDetails = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.status = options.status ?? 0;
    this.details = options.details ?? {};
    this.retryAfterMs = options.retryAfterMs;
    this.#partlyDone = options.partlyDone ?? false;
  }

  /**
   * True if the request, or a part of it, may have been carried out. False if nothing was, or if the error says what: that
   * of an import that an invalid line has stopped, and a {@link DecodeError}.
   */
  get outcomeUnknown(): boolean {
    if (this.#partlyDone) return true;
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

/** What an error has beside its code and message. */
export interface ErrorDetails {
  readonly status?: number;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
  readonly retryAfterMs?: number | undefined;
  /** Whether requests before this one, of the same call, were carried out. */
  readonly partlyDone?: boolean | undefined;
}

/**
 * There is no bucket of this name (`bucket_not_found`).
 * @example
 * ```ts
 * const error = await kv.bucket("nowhere").put("milk", 3).catch((reason) => reason);
 * console.log(error instanceof BucketNotFoundError); // true
 * ```
 */
export class BucketNotFoundError extends KvError {
  override readonly name = "BucketNotFoundError";
}

/**
 * `ifMatch` or `ifNoneMatch` did not hold, and nothing was changed (`precondition_failed`).
 * @example
 * ```ts
 * await bucket.put("milk", 3);
 * const error = await bucket.put("milk", 4, { ifNoneMatch: "*" }).catch((reason) => reason);
 * console.log(error instanceof PreconditionFailedError); // true
 * ```
 */
export class PreconditionFailedError extends KvError {
  override readonly name = "PreconditionFailedError";
}

/**
 * The call is wrong, and was not carried out: any other code with a status from 400 to 499.
 * @example
 * ```ts
 * const error = await bucket.put("milk", NaN).catch((reason) => reason);
 * console.log(error instanceof InvalidRequestError, error.code); // true value_invalid
 * ```
 */
export class InvalidRequestError extends KvError {
  override readonly name = "InvalidRequestError";
}

/**
 * A value, request or result is over the service's limit (status 413), such as `value_too_large`.
 * @example
 * ```ts
 * using session = bucket.session();
 * const large = { op: "put", key: "photo", value: "x".repeat(16 * 1_048_576) } as const;
 * const error = await session.bucket.batch([large]).catch((reason) => reason);
 * console.log(error instanceof TooLargeError, error.code); // true body_too_large
 * ```
 */
export class TooLargeError extends KvError {
  override readonly name = "TooLargeError";
}

/**
 * The token is missing or wrong, or the service has none yet (status 401 or 403).
 * @example
 * ```ts
 * const error = new UnauthorizedError("unauthorized", "The token is wrong.", { status: 401 });
 * console.log(error instanceof KvError, error.outcomeUnknown); // true false
 * ```
 */
export class UnauthorizedError extends KvError {
  override readonly name = "UnauthorizedError";
}

/**
 * An increment of a value that is not an integer (`not_an_integer`).
 * @example
 * ```ts
 * await bucket.put("milk", "three");
 * const error = await bucket.increment("milk").catch((reason) => reason);
 * console.log(error instanceof NotAnIntegerError); // true
 * ```
 */
export class NotAnIntegerError extends KvError {
  override readonly name = "NotAnIntegerError";
}

/**
 * The sum of an increment does not fit into 64 bits (`increment_overflow`).
 * @example
 * ```ts
 * await bucket.put("visits", 2n ** 63n - 1n);
 * const error = await bucket.increment("visits").catch((reason) => reason);
 * console.log(error instanceof IncrementOverflowError); // true
 * ```
 */
export class IncrementOverflowError extends KvError {
  override readonly name = "IncrementOverflowError";
}

/**
 * The idempotency key was used for another request (`idempotency_key_reused`).
 * @example
 * ```ts
 * await bucket.increment("visits", { idempotencyKey: "order 17" });
 * const error = await bucket.increment("visits", { by: 2, idempotencyKey: "order 17" }).catch((reason) => reason);
 * console.log(error instanceof IdempotencyKeyReusedError); // true
 * ```
 */
export class IdempotencyKeyReusedError extends KvError {
  override readonly name = "IdempotencyKeyReusedError";
}

/**
 * The change log no longer holds the position (`revision_compacted`): start again, with a snapshot.
 * @example
 * ```ts
 * const error = await bucket.watch({ since: 1_000 }).next().catch((reason) => reason);
 * console.log(error instanceof RevisionCompactedError); // true
 * ```
 */
export class RevisionCompactedError extends KvError {
  override readonly name = "RevisionCompactedError";
}

/**
 * An import stopped at an invalid line (`import_stopped`). `details` has the result so far.
 * @example
 * ```ts
 * const error = await bucket.import('{"key":"milk","json":3}\nnonsense\n').catch((reason) => reason);
 * console.log(error instanceof ImportStoppedError, error.details.imported); // true 1
 * ```
 */
export class ImportStoppedError extends KvError {
  override readonly name = "ImportStoppedError";
}

/**
 * The watched bucket has ended (`bucket_down`). `details.reason` says why.
 * @example
 * ```ts
 * await bucket.put("milk", 3);
 * const changes = bucket.watch({ onOpen: () => void kv.stop(bucket.name) });
 * const error = await changes.next().catch((reason) => reason);
 * console.log(error instanceof BucketDownError, error.details.reason); // true normal
 * ```
 */
export class BucketDownError extends KvError {
  override readonly name = "BucketDownError";
}

/**
 * The codec can't decode a value (`value_undecodable`). `details.key` names the entry. To continue after it, pass
 * `details.id` as a watch's `since`, or `details.cursor` as a list's `cursor`. `cause` is the codec's own error.
 * @example
 * ```ts
 * await kv.bucket(bucket.name, { codec: text }).put("note", "not JSON");
 * const error = await bucket.get("note").catch((reason) => reason);
 * console.log(error instanceof DecodeError, error.details.key); // true note
 * ```
 */
export class DecodeError extends KvError {
  override readonly name = "DecodeError";
}

/**
 * The service is temporarily unable to do this (status 503). `retryAfterMs` says how long to wait, if it knows.
 * @example
 * ```ts
 * const answer = { status: 503, retryAfterMs: 2_000 };
 * const error = new UnavailableError("too_many_connections", "Come back later.", answer);
 * console.log(error instanceof KvError, error.retryAfterMs); // true 2000
 * ```
 */
export class UnavailableError extends KvError {
  override readonly name = "UnavailableError";
}

/**
 * No response in time (`timeout`): the outcome is unknown.
 * @example
 * ```ts
 * const silent = new Kv({ url, timeoutMs: 20, retries: 0, fetch: () => new Promise(() => {}) });
 * const error = await silent.lookup("shopping").catch((reason) => reason);
 * console.log(error instanceof TimeoutError, error.outcomeUnknown); // true true
 * ```
 */
export class TimeoutError extends KvError {
  override readonly name = "TimeoutError";
}

/**
 * The connection broke and the outcome is unknown (`connection_lost`), or there was no connection, or a session was closed,
 * and nothing was done (`not_connected`, `session_closed`).
 * @example
 * ```ts
 * const nobody = new Kv({ url: "http://127.0.0.1:2", retries: 0 });
 * const error = await nobody.lookup("shopping").catch((reason) => reason);
 * console.log(error instanceof ConnectionError, error.code, error.outcomeUnknown); // true not_connected false
 * ```
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

/** @internal Builds the error from the service's problem details. @param retryAfterMs from the `Retry-After` header */
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
