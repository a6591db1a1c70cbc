/** Headers of every response with a stored value. */

/**
 * `no-cache`: a cache revalidates a stored value with its entity tag before each use. `no-transform`: no proxy compresses
 * the value, because that makes its tag weak, and `If-Match` never matches a weak tag.
 */
export const CACHE_CONTROL = "no-cache, no-transform";

/**
 * Values are untrusted bytes on the service's origin. Without the last two headers a browser would run a stored page or
 * script with the rights of that origin.
 */
export const STORED_HEADERS = {
  "Cache-Control": CACHE_CONTROL,
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "sandbox; default-src 'none'",
} as const;
