/** Idempotency keys: a request that carries one is done once (draft-ietf-httpapi-idempotency-key-header). */

import { fingerprintOf } from "./fingerprint.ts";
import { idempotencyKey } from "./validators.ts";

/** What tells a repeated request from a different one. */
export interface Idempotency {
  readonly key: string;
  /** The same for the same request only. */
  readonly fingerprint: string;
}

/** A result, and whether it was given before to the same idempotency key. */
export interface Once<Result> {
  readonly result: Result;
  readonly replayed: boolean;
}

/**
 * @param meaning the request as it was understood: however it was written and sent, the same request has the same fingerprint
 * @throws {KvError} `header_invalid`
 */
export async function onceFor(
  key: string | null | undefined,
  meaning: readonly unknown[],
): Promise<Idempotency | undefined> {
  if (key === undefined || key === null) return undefined;
  const checked = idempotencyKey(key);
  return { key: checked, fingerprint: await fingerprintOf(meaning) };
}
