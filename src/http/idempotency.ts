/** `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header). */

import { onceFor, type Idempotency } from "../store/idempotency.ts";

/** The request's key, and what tells it from another request with the same key. */
export function idempotencyOf(
  { headers }: Request,
  meaning: readonly unknown[],
): Promise<Idempotency | undefined> {
  return onceFor(headers.get("Idempotency-Key"), meaning);
}

/** Tells the sender that this was done before. */
export function replayHeader(replayed: boolean): Record<string, string> {
  return replayed ? { "Idempotency-Replayed": "true" } : {};
}
