/** When to come back, as a header says it (RFC 9110 §10.2.3). */

/** As HTTP writes a date, and nothing else that `Date.parse` would take. */
const HTTP_DATE = /^[A-Z][a-z]+, .* GMT$/;

/** @returns milliseconds from now; undefined where nothing is said that can be understood */
export function retryAfterMs(headers: Headers): number | undefined {
  const text = headers.get("Retry-After") ?? "";
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  const date = HTTP_DATE.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** What an error, or what has caused it, says of that. 0 where it says nothing. */
export function waitAskedFor(error: unknown): number {
  for (let said = error; said instanceof Error; said = said.cause) {
    const { retryAfterMs: wait } = said as { readonly retryAfterMs?: number | undefined };
    if (wait !== undefined) return wait;
  }
  return 0;
}
