/** Requests that are done once. */

/** What a request with a key that counts once says. */
export function onceHeader(idempotencyKey: string | undefined): Record<string, string> {
  return idempotencyKey === undefined ? {} : { "Idempotency-Key": idempotencyKey };
}
