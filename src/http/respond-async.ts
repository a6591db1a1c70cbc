/** Requests whose sender does not wait: casts. */

import type { Context } from "./context.ts";

const RESPOND_ASYNC = /(?:^|,)\s*respond-async\s*(?:$|[,;])/i;
const QUOTED = /"[^"]*"/g;

/**
 * Does what a request asks for, and answers with what came of it. With `Prefer: respond-async` (RFC 7240 §4.1) it is
 * a cast: checked, sent, and answered at once with 202, which promises nothing more.
 */
export function perform(
  request: Request,
  { keepAlive }: Context,
  work: () => Promise<Response>,
): Promise<Response> | Response {
  if (!isCast(request)) return work();
  // A cast has no one to tell of a failure: that is its contract, not an oversight.
  keepAlive(work().catch(() => undefined));
  return new Response(null, { status: 202, headers: { "Preference-Applied": "respond-async" } });
}

function isCast(request: Request): boolean {
  const preference = request.headers.get("Prefer");
  return preference !== null && RESPOND_ASYNC.test(preference.replaceAll(QUOTED, ""));
}
