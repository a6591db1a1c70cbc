/** Times that are compared although the clock may have been put back or forward in between. */

/**
 * Whether something happened within a window that ends now. What is in the future is not recent: it happened before the
 * clock was put back, nobody knows how long ago.
 * @param at milliseconds since the epoch, as `now`
 */
export function isRecent(at: number, now: number, windowMs: number): boolean {
  return at <= now && now - at < windowMs;
}
