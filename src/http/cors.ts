/** CORS (Fetch standard) for web pages of the origins in `KV_ORIGINS`. */

import { API } from "./api/api.ts";
import type { Endpoint, HeaderName } from "./api/endpoint.ts";

/** How long a browser may cache a preflight response, in seconds. No browser caches it for more than two hours. */
const MAX_AGE_SECONDS = "7200";

// The headers of the API table, and those of unstorage (X-TTL, dates) and of every request.
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
 * Serves a request. A page of an allowed origin may read the response. It has to send the token itself: there is no
 * `Access-Control-Allow-Credentials`, so no page can use credentials that the browser keeps.
 */
export function serveAcross(
  request: Request,
  origins: readonly string[],
  serve: () => Response | Promise<Response>,
): Response | Promise<Response> {
  const origin = request.headers.get("Origin");
  if (origin === null || !origins.includes(origin)) return serve();
  if (isPreflight(request)) return new Response(null, { status: 204, headers: headersFor(origin, ALLOWED) });
  return withCors(serve(), origin);
}

async function withCors(served: Response | Promise<Response>, origin: string): Promise<Response> {
  const response = await served;
  // CORS does not apply to a WebSocket.
  if (response.status === 101) return response;
  const copy = new Response(response.body, response);
  const headers = headersFor(origin, { "Access-Control-Expose-Headers": EXPOSED });
  for (const [name, value] of Object.entries(headers)) copy.headers.append(name, value);
  return copy;
}

function headersFor(origin: string, others: Readonly<Record<string, string>>): Record<string, string> {
  return { "Access-Control-Allow-Origin": origin, Vary: "Origin", ...others };
}

/** Whether a request is a preflight, which a browser sends before a request that a form could not send. */
function isPreflight({ method, headers }: Request): boolean {
  return method === "OPTIONS" && headers.get("Access-Control-Request-Method") !== null;
}

function list(own: readonly string[], of: (endpoint: Endpoint) => readonly HeaderName[] | undefined): string {
  return [...new Set([...own, ...endpoints.flatMap((endpoint) => of(endpoint) ?? [])])].join(", ");
}
