/** When to come back, as a header says it (RFC 9110 §10.2.3). */

import { LONGEST_TIMER_MS } from "./deadline.ts";

/** As HTTP writes a date, and nothing else that `Date.parse` would take. */
const HTTP_DATE = /^[A-Z][a-z]+, .* GMT$/;

/** @returns milliseconds from now, at most as many as a timer can wait; undefined where nothing is said that can be understood */
export function retryAfterMs(headers: Headers): number | undefined {
  const text = headers.get("Retry-After") ?? "";
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1_000, LONGEST_TIMER_MS);
  const date = HTTP_DATE.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(date) ? undefined : Math.min(Math.max(0, date - Date.now()), LONGEST_TIMER_MS);
}

/** What an error, or what has caused it, says of that. 0 where it says nothing. */
export function waitAskedFor(error: unknown): number {
  for (let said = error; said instanceof Error; said = said.cause) {
    const { retryAfterMs: wait } = said as { readonly retryAfterMs?: number | undefined };
    if (wait !== undefined) return wait;
  }
  return 0;
}
