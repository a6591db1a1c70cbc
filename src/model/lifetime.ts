/** How long an entry lives. */

import { KvError } from "./errors.ts";
import { MAX_TTL_SECONDS } from "./limits.ts";

/** From now on, in seconds; or until a time, in milliseconds since the epoch. Without one it lives for ever. */
export type Lifetime = { readonly ttl: number } | { readonly expires: number };

/**
 * When the entry expires, in milliseconds since the epoch; null for never.
 * @throws {KvError} `expires_invalid`: that is over already, or too far away.
 */
export function expiry(lifetime: Lifetime | undefined, now: number): number | null {
  if (lifetime === undefined) return null;
  const expires = "ttl" in lifetime ? now + lifetime.ttl * 1_000 : lifetime.expires;
  if (expires > now && expires <= now + MAX_TTL_SECONDS * 1_000) return Math.ceil(expires);
  throw new KvError(
    "expires_invalid",
    `An entry expires in the future, within ${MAX_TTL_SECONDS} seconds. This would be ${describe(expires)}.`,
  );
}

function describe(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? `${time} ms` : date.toISOString();
}
