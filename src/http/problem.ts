/** Errors as problem details (RFC 9457). */

import { failure, type ErrorCode, type Failure } from "../model/errors.ts";

/** `Retry-After` for errors that may be over soon, in seconds. */
const RETRY_AFTER_SECONDS = "1";

const TRY_AGAIN: ReadonlySet<ErrorCode> = new Set([
  "overloaded",
  "unavailable",
  "server_stopping",
  "too_many_connections",
]);

/**
 * The response for a failure: `application/problem+json` with `type`, `title`, `status`, `detail`, `code`.
 * Only `code` is stable. `members` are further members of the document.
 */
export function problem(
  { code, title, status, detail }: Failure,
  headers: Record<string, string> = {},
  members: Readonly<Record<string, unknown>> = {},
): Response {
  const type = `urn:durable-kv:problem:${code}`;
  const body = JSON.stringify({ type, title, status, detail, code, ...members });
  return new Response(body, {
    status,
    headers: {
      "Content-Type": "application/problem+json",
      "X-Content-Type-Options": "nosniff",
      // Without this a cache may store a 404 or a 410 (RFC 9110 §15.1), and the key may be created at any moment.
      "Cache-Control": "no-store",
      ...(TRY_AGAIN.has(code) ? { "Retry-After": RETRY_AFTER_SECONDS } : {}),
      ...(status === 401 ? { "WWW-Authenticate": 'Bearer realm="durable-kv"' } : {}),
      ...(status === 426 ? { Upgrade: "websocket" } : {}),
      ...headers,
    },
  });
}

/** 405. @param allowed the allowed methods, as in `Allow` */
export function methodNotAllowed(method: string, allowed: string): Response {
  return problem(
    failure("method_not_allowed", `${method} is not allowed for this path. Allowed: ${allowed}.`),
    {
      Allow: allowed,
    },
  );
}
