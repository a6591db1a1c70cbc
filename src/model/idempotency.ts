/** Idempotency keys: a request that carries one runs once (draft-ietf-httpapi-idempotency-key-header). */

import { fingerprintOf } from "./fingerprint.ts";
import { idempotencyKey } from "./validators.ts";

/** Identifies a request: a repeated request has the same key and the same fingerprint. */
export interface Idempotency {
  readonly key: string;
  /** See {@link fingerprintOf}. */
  readonly fingerprint: string;
}

/** A result, and whether it is the stored result of an earlier request with the same idempotency key. */
export interface Replayable<Result> {
  readonly result: Result;
  readonly replayed: boolean;
}

/**
 * The idempotency of a request; undefined if it carries no key.
 * @param meaning the parsed request, as {@link fingerprintOf} takes it
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
