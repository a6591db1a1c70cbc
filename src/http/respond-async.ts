/** Requests whose sender does not wait for the result: `Prefer: respond-async` (RFC 7240 §4.1). */

import type { Context } from "./context.ts";

const RESPOND_ASYNC = /(?:^|,)\s*respond-async\s*(?:$|[,;])/i;
const QUOTED = /"[^"]*"/g;

/**
 * Does the work and answers with its result. With `Prefer: respond-async` it is a cast: the request was checked, the work is
 * sent on, and the answer is 202 at once, which promises nothing more.
 */
export function respond(
  request: Request,
  { keepAlive }: Context,
  work: () => Promise<Response>,
): Promise<Response> | Response {
  if (!prefersAsync(request)) return work();
  // A cast reports no failure: that is its contract, not an oversight.
  keepAlive(work().catch(() => undefined));
  return new Response(null, { status: 202, headers: { "Preference-Applied": "respond-async" } });
}

function prefersAsync(request: Request): boolean {
  const preference = request.headers.get("Prefer");
  return preference !== null && RESPOND_ASYNC.test(preference.replaceAll(QUOTED, ""));
}
