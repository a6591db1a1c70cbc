/** Idempotency keys: the service carries out the requests with one key once. */

/** The header for an idempotency key, if there is one. */
export function idempotencyHeader(idempotencyKey: string | undefined): Record<string, string> {
  return idempotencyKey === undefined ? {} : { "Idempotency-Key": idempotencyKey };
}
