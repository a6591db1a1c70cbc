/** Pages of other origins that may use the service, those of `KV_ORIGINS`: CORS, as the Fetch standard has it. */

import { API } from "./api/api.ts";
import type { Endpoint, HeaderName } from "./api/endpoint.ts";

/** Seconds for which a browser need not ask again whether it may; more than two hours none of them takes. */
const MAX_AGE_SECONDS = "7200";

// The table, and, beside it, what is unstorage's (X-TTL, dates) and what every call may come with.
const endpoints: readonly Endpoint[] = Object.values(API).flatMap((methods) => Object.values(methods));
const ALLOWED = {
  "Access-Control-Allow-Methods": "GET, HEAD, PUT, POST, DELETE",
  "Access-Control-Allow-Headers": list(
    ["Authorization", "Content-Type", "If-Modified-Since", "If-Unmodified-Since", "X-TTL"],
    (endpoint) => endpoint.headers,
  ),
  "Access-Control-Max-Age": MAX_AGE_SECONDS,
};
const EXPOSED = list(["Content-Range", "Retry-After", "Allow", "X-TTL"], ({ answers }) =>
  Object.values(answers).flatMap(({ headers = [] }) => headers),
);

/**
 * Serves a request, and lets the page that it is from see the answer, if it may. A page shows the token itself: nothing
 * here lets a browser send what it knows of a user.
 */
export function serveAcross(
  request: Request,
  origins: readonly string[],
  serve: () => Response | Promise<Response>,
): Response | Promise<Response> {
  const origin = request.headers.get("Origin");
  if (origin === null || !origins.includes(origin)) return serve();
  if (isPreflight(request)) return new Response(null, { status: 204, headers: headersFor(origin, ALLOWED) });
  return shown(serve(), origin);
}

async function shown(served: Response | Promise<Response>, origin: string): Promise<Response> {
  const response = await served;
  // A WebSocket is the page's own affair: there CORS has no say.
  if (response.status === 101) return response;
  const copy = new Response(response.body, response);
  const headers = headersFor(origin, { "Access-Control-Expose-Headers": EXPOSED });
  for (const [name, value] of Object.entries(headers)) copy.headers.append(name, value);
  return copy;
}

function headersFor(origin: string, others: Readonly<Record<string, string>>): Record<string, string> {
  return { "Access-Control-Allow-Origin": origin, Vary: "Origin", ...others };
}

/** A browser asks before it sends what a form could not. */
function isPreflight({ method, headers }: Request): boolean {
  return method === "OPTIONS" && headers.get("Access-Control-Request-Method") !== null;
}

function list(own: readonly string[], of: (endpoint: Endpoint) => readonly HeaderName[] | undefined): string {
  return [...new Set([...own, ...endpoints.flatMap((endpoint) => of(endpoint) ?? [])])].join(", ");
}
