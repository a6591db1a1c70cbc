/** Authorizes a request: checks its host, its origin, and its token. */

import { authNotConfigured, type Auth } from "../config/auth.ts";
import { failure, type Failure } from "../model/errors.ts";
import type { Settings } from "../config/settings.ts";
import type { Context } from "./context.ts";
import { decode64 } from "../lib/utf8.ts";

/** The WebSocket subprotocol of the service. */
export const SUBPROTOCOL = "kv";
/** A browser can't set headers of a WebSocket, so it sends the token, in base64url, as a second subprotocol. */
const TOKEN_SUBPROTOCOL = "kv.bearer.";

// The token may contain blanks. The scheme is case-insensitive (RFC 9110 §11.1).
const BEARER = /^bearer (.*)$/i;
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;
const SAFE_METHODS = new Set(["GET", "HEAD"]);

/** Why a request is rejected; undefined if it is authorized. */
export function turnedAway(
  request: Request,
  { auth, settings, target }: Pick<Context, "auth" | "settings" | "target">,
): Failure | undefined {
  if (auth.state === "unconfigured") return authNotConfigured();
  // Without a token only the loopback address protects the service. With DNS rebinding, a web page can point its own
  // host name to that address, so the host name must be a loopback name too.
  if (auth.state === "open" && !LOOPBACK_HOST.test(target.host)) {
    return failure(
      "host_not_allowed",
      "Without a token the service accepts requests to localhost only. Set KV_TOKEN.",
    );
  }
  const foreign = foreignOrigin(request, target.host, settings) ?? foreignSite(request, auth, settings);
  if (foreign !== undefined) return foreign;
  if (auth.state !== "locked") return undefined;
  const token = tokenOf(request);
  if (token === undefined) return failure("unauthorized", "Send the token: Authorization: Bearer <token>.");
  return auth.accepts(token) ? undefined : failure("unauthorized", "This is not the token of the service.");
}

/** A page of another origin may neither open a WebSocket nor send a request that changes something. */
function foreignOrigin(request: Request, host: string, { origins }: Settings): Failure | undefined {
  const origin = request.headers.get("Origin");
  if (origin === null) return undefined;
  if (SAFE_METHODS.has(request.method) && request.headers.get("Upgrade") === null) return undefined;
  if (origins.includes(origin) || (URL.canParse(origin) && new URL(origin).host === host)) return undefined;
  return failure(
    "origin_not_allowed",
    `Web pages of ${origin} are not allowed. Add the origin to KV_ORIGINS to allow them.`,
  );
}

/**
 * Without a token, a page of another site could load stored values as a script, a style or an image, or see from the
 * failure whether a key exists. The browser reports the site of every load in `Sec-Fetch-Site` (Fetch Metadata).
 */
function foreignSite(request: Request, auth: Auth, { origins }: Settings): Failure | undefined {
  if (auth.state !== "open" || request.headers.get("Sec-Fetch-Site") !== "cross-site") return undefined;
  const origin = request.headers.get("Origin");
  if (origin !== null && origins.includes(origin)) return undefined;
  return failure(
    "origin_not_allowed",
    "Web pages of other sites may not use a service without a token. Set KV_TOKEN.",
  );
}

/** The token that was sent; undefined if there was none. */
function tokenOf(request: Request): string | undefined {
  const bearer = BEARER.exec(request.headers.get("Authorization") ?? "")?.[1];
  if (bearer !== undefined) return bearer;
  const offered = subprotocols(request).find((name) => name.startsWith(TOKEN_SUBPROTOCOL));
  return offered && (decode64(offered.slice(TOKEN_SUBPROTOCOL.length)) ?? "");
}

/** The header that confirms our subprotocol, if the client offered it. */
export function subprotocol(request: Request): Record<string, string> {
  return subprotocols(request).includes(SUBPROTOCOL) ? { "Sec-WebSocket-Protocol": SUBPROTOCOL } : {};
}

function subprotocols(request: Request): string[] {
  return (request.headers.get("Sec-WebSocket-Protocol") ?? "").split(",").map((name) => name.trim());
}
