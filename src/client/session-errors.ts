/** The errors of a session's connection. */

import { ConnectionError, errorOf, type KvError } from "./errors.ts";

/** Largest request in bytes, as over HTTP. The platform's limit for a message is 32 MiB. */
export const MAX_REQUEST_BYTES = 16_777_216;

export function notConnected(cause?: unknown): ConnectionError {
  const why = "The session could not connect. Nothing was sent.";
  return new ConnectionError("not_connected", why, { cause });
}

export function broken(cause?: unknown): ConnectionError {
  return new ConnectionError("connection_lost", "The session's connection broke.", { cause });
}

export function sessionClosed(): ConnectionError {
  return new ConnectionError("session_closed", "The session is closed. Nothing was sent.");
}

export function requestTooLarge(): KvError {
  const detail = `A request on a session has at most ${MAX_REQUEST_BYTES} bytes of JSON. Split it into smaller requests.`;
  return errorOf({ code: "body_too_large", status: 413, detail });
}
