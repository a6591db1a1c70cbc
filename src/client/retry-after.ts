/** The `Retry-After` header (RFC 9110 §10.2.3). */

import { LONGEST_TIMER_MS } from "./deadline.ts";

/** An HTTP date. `Date.parse` accepts much more. */
const HTTP_DATE = /^[A-Z][a-z]+, .* GMT$/;

/** @returns milliseconds from now, capped at the longest timer; undefined if the header is missing or malformed */
export function retryAfterMs(headers: Pick<Headers, "get">): number | undefined {
  const text = headers.get("Retry-After") ?? "";
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1_000, LONGEST_TIMER_MS);
  const date = HTTP_DATE.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(date) ? undefined : Math.min(Math.max(0, date - Date.now()), LONGEST_TIMER_MS);
}

/** @returns milliseconds that the error, or one of its causes, asks to wait; 0 if none does */
export function retryAfterOf(error: unknown): number {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { retryAfterMs: wait } = cause as { readonly retryAfterMs?: number | undefined };
    if (wait !== undefined) return wait;
  }
  return 0;
}
