/** `Prefer: respond-async` (RFC 7240 §4.1): requests whose client does not wait for the result. */

import type { Context } from "./context.ts";

const RESPOND_ASYNC = /(?:^|,)\s*respond-async\s*(?:$|[,;])/i;
const QUOTED = /"[^"]*"/g;

/**
 * Responds with the result of the work. With `Prefer: respond-async` it responds 202 at once, while the work goes on: the
 * request was valid, but 202 does not promise that the work succeeds.
 */
export function respond(
  request: Request,
  { keepAlive }: Context,
  work: () => Promise<Response>,
): Promise<Response> | Response {
  if (!prefersAsync(request)) return work();
  // By contract, respond-async reports no failure.
  keepAlive(work().catch(() => undefined));
  return new Response(null, { status: 202, headers: { "Preference-Applied": "respond-async" } });
}

function prefersAsync(request: Request): boolean {
  const preference = request.headers.get("Prefer");
  return preference !== null && RESPOND_ASYNC.test(preference.replaceAll(QUOTED, ""));
}
