/** Lifetimes of entries, and the time at which they expire. */

import { KvError } from "./errors.ts";
import { MAX_TTL_SECONDS } from "./limits.ts";

/** `ttl`: seconds from now. `expires`: milliseconds since the epoch. An entry without a lifetime never expires. */
export type Lifetime = { readonly ttl: number } | { readonly expires: number };

/**
 * When the entry expires, in milliseconds since the epoch; null for never.
 * @throws {KvError} `expires_invalid`: the time is in the past, or more than ten years from now
 */
export function expiry(lifetime: Lifetime | undefined, now: number): number | null {
  if (lifetime === undefined) return null;
  const expires = "ttl" in lifetime ? now + lifetime.ttl * 1_000 : lifetime.expires;
  if (expires > now && expires <= now + MAX_TTL_SECONDS * 1_000) return Math.ceil(expires);
  throw new KvError(
    "expires_invalid",
    `An entry must expire in the future, at most ${MAX_TTL_SECONDS} seconds from now. This one would expire at ${describe(expires)}.`,
  );
}

function describe(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? `${time} ms` : date.toISOString();
}
