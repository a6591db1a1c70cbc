/** Rejects headers that an endpoint does not support, if they would change what the request does. */

import { KvError } from "../model/errors.ts";

const CONDITION = "Use it for one key: …/keys/{key}. A batch or a transaction has conditions in its body.";
/** The headers, and where to use them. */
const HINTS = [
  ["If-Match", CONDITION],
  ["If-None-Match", CONDITION],
  ["If-Unmodified-Since", "Send If-Match with the entity tag instead."],
  ["Idempotency-Key", "Use it for increment and transaction."],
] as const;

/**
 * Rejects a request with such a header. To ignore a condition could overwrite a value, and to ignore an idempotency key
 * could run a request twice.
 * @param supported the headers that the endpoint supports
 * @throws {KvError} `header_invalid`
 */
export function refuseUnheeded(headers: Headers, supported: readonly string[] = []): void {
  for (const [name, hint] of HINTS) {
    if (supported.includes(name) || headers.get(name) === null) continue;
    throw new KvError("header_invalid", `${name} is not supported here. Nothing was changed. ${hint}`);
  }
}
