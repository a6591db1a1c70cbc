/** Comparison of times, with a clock that may be put back. */

/**
 * Whether a time is within a window that ends now. A time in the future is not: it was taken before the clock was put
 * back, and how long ago is unknown.
 * @param at milliseconds since the epoch, as `now`
 */
export function isRecent(at: number, now: number, windowMs: number): boolean {
  return at <= now && now - at < windowMs;
}
