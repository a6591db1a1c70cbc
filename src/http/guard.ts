/** Who may call: the token, the host, and the origin of a request. */

import { authNotConfigured, type Auth } from "../config/auth.ts";
import { failure, type Failure } from "../model/errors.ts";
import type { Settings } from "../config/settings.ts";
import type { Context } from "./context.ts";
import { decode64 } from "../lib/utf8.ts";

/** The WebSocket subprotocol that is spoken. */
export const SUBPROTOCOL = "kv";
/** A browser can't set headers on a WebSocket, so there the token comes as a second subprotocol. */
const TOKEN_SUBPROTOCOL = "kv.bearer.";

// A token is whatever was set, blanks included; the scheme is known in any letters (RFC 9110 §11.1).
const BEARER = /^bearer (.*)$/i;
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;
const SAFE_METHODS = new Set(["GET", "HEAD"]);

/** Why a request may not go on; undefined if it may. */
export function turnedAway(
  request: Request,
  { auth, settings, target }: Pick<Context, "auth" | "settings" | "target">,
): Failure | undefined {
  if (auth.state === "unconfigured") return authNotConfigured();
  // Without a token the loopback address is all that protects the service, and a web page can give its own
  // name that address (DNS rebinding): the name has to be a loopback one too.
  if (auth.state === "open" && !LOOPBACK_HOST.test(target.host)) {
    return failure("host_not_allowed", "Without a token the service answers to localhost only.");
  }
  const foreign = foreignOrigin(request, target.host, settings) ?? foreignSite(request, auth, settings);
  if (foreign !== undefined) return foreign;
  if (auth.state === "locked" && !showsToken(request, auth)) {
    return failure("unauthorized", "Show the token: Authorization: Bearer <token>.");
  }
  return undefined;
}

/** A page of another site may neither open a WebSocket nor change anything with what the browser knows. */
function foreignOrigin(request: Request, host: string, { origins }: Settings): Failure | undefined {
  const origin = request.headers.get("Origin");
  if (origin === null) return undefined;
  if (SAFE_METHODS.has(request.method) && request.headers.get("Upgrade") === null) return undefined;
  if (origins.includes(origin) || (URL.canParse(origin) && new URL(origin).host === host)) return undefined;
  return failure(
    "origin_not_allowed",
    `Pages of ${origin} may not do this. KV_ORIGINS lists those that may.`,
  );
}

/**
 * Where there is no token, a page of another site could load what is stored as a script, a style or an image, or tell by
 * the failure of that whether a key is there. Its browser says where it is from (Fetch Metadata), whatever it loads.
 */
function foreignSite(request: Request, auth: Auth, { origins }: Settings): Failure | undefined {
  if (auth.state !== "open" || request.headers.get("Sec-Fetch-Site") !== "cross-site") return undefined;
  const origin = request.headers.get("Origin");
  if (origin !== null && origins.includes(origin)) return undefined;
  return failure("origin_not_allowed", "Pages of other sites may not use a service without a token.");
}

function showsToken(request: Request, auth: Auth): boolean {
  const bearer = BEARER.exec(request.headers.get("Authorization") ?? "")?.[1];
  if (bearer !== undefined) return auth.accepts(bearer);
  const offered = subprotocols(request).find((name) => name.startsWith(TOKEN_SUBPROTOCOL));
  return offered !== undefined && auth.accepts(decode64(offered.slice(TOKEN_SUBPROTOCOL.length)) ?? "");
}

/** The subprotocol to confirm, if the client has offered ours. */
export function subprotocol(request: Request): Record<string, string> {
  return subprotocols(request).includes(SUBPROTOCOL) ? { "Sec-WebSocket-Protocol": SUBPROTOCOL } : {};
}

function subprotocols(request: Request): string[] {
  return (request.headers.get("Sec-WebSocket-Protocol") ?? "").split(",").map((name) => name.trim());
}
