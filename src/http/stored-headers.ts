/** What is said with everything that somebody has stored. */

/**
 * Whoever keeps a value asks whether it is still the one, with its tag; and nobody on the way packs it: its tag would
 * become a weak one, which `If-Match` never matches.
 */
export const CACHE_CONTROL = "no-cache, no-transform";

/**
 * A value is somebody's bytes on our origin: without the last two headers a browser would run a stored page
 * or script with our origin's rights.
 */
export const STORED_HEADERS = {
  "Cache-Control": CACHE_CONTROL,
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "sandbox; default-src 'none'",
} as const;
