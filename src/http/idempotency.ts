/** `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header). */

import { onceFor, type Idempotency } from "../bucket/idempotency.ts";
import { KvError } from "../errors.ts";

const HEADER = "Idempotency-Key";

/** The request's key, and what tells it from another request with the same key. */
export function idempotencyOf(
  { headers }: Request,
  request: readonly unknown[],
): Promise<Idempotency | undefined> {
  return onceFor(headers.get(HEADER), request);
}

/** To take it and not to heed it would be worse than to refuse it. @throws {KvError} `header_invalid` */
export function refuseIdempotency({ headers }: Request): void {
  if (headers.get(HEADER) === null) return;
  throw new KvError("header_invalid", `${HEADER} is for increment and transaction. Nothing was done.`);
}

/** Tells the sender that this was done before. */
export function replayHeader(replayed: boolean): Record<string, string> {
  return replayed ? { "Idempotency-Replayed": "true" } : {};
}
