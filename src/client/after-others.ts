/** The error of a call that is more than one request, when others were carried out before. */

import type { ErrorDetails, KvError } from "./errors.ts";

/**
 * An error of one of several requests of a call, after others were carried out: the outcome of the call is unknown to all
 * who know only its code.
 * @param done what was carried out, as a sentence
 */
export function afterOthers(error: KvError, done: string, more: ErrorDetails["details"]): KvError {
  const { code, status, message, details, retryAfterMs } = error;
  // "Not sent" is true of this request, and not of the call.
  const known = code === "not_connected" ? "connection_lost" : code;
  return new (error.constructor as typeof KvError)(known, `${message} ${done}`, {
    status,
    retryAfterMs,
    details: { ...more, ...details },
    cause: error,
    partlyDone: true,
  });
}
