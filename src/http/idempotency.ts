/** The headers of requests that are carried out once (draft-ietf-httpapi-idempotency-key-header). */

export function idempotencyKeyOf({ headers }: Request): string | null {
  return headers.get("Idempotency-Key");
}

/** `Idempotency-Replayed`, if the result is that of an earlier request. */
export function replayHeader(replayed: boolean): Record<string, string> {
  return replayed ? { "Idempotency-Replayed": "true" } : {};
}
