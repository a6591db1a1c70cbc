/** Errors as RFC 9457 problem details. */

import { failure, type ErrorCode, type Failure } from "../model/errors.ts";

/** Seconds after which a caller may try again, where that can help. */
const RETRY_AFTER_SECONDS = "1";

const TRY_AGAIN: ReadonlySet<ErrorCode> = new Set([
  "overloaded",
  "unavailable",
  "server_stopping",
  "too_many_connections",
]);

/**
 * The response for a failure: `application/problem+json` with `type`, `title`, `status`, `detail`, `code`.
 * The code is the stable part. `members` are what else helps.
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
      // A 404 or a 410 may be kept without that (RFC 9110 §15.1), and what is not there may be there at once.
      "Cache-Control": "no-store",
      ...(TRY_AGAIN.has(code) ? { "Retry-After": RETRY_AFTER_SECONDS } : {}),
      ...(status === 401 ? { "WWW-Authenticate": 'Bearer realm="durable-kv"' } : {}),
      ...(status === 426 ? { Upgrade: "websocket" } : {}),
      ...headers,
    },
  });
}

/** @param allowed methods, as `Allow` lists them */
export function methodNotAllowed(method: string, allowed: string): Response {
  return problem(failure("method_not_allowed", `${method} is not for this path; ${allowed} is.`), {
    Allow: allowed,
  });
}
