/** Authorization: one token for all callers, compared in constant time. */

import { failure, type Failure } from "../model/errors.ts";
import type { Settings } from "./settings.ts";

const encoder = new TextEncoder();

/**
 * `locked`: callers show the token. `open`: there is none, and only this machine can reach the service. `unconfigured`: there
 * is none although others might reach the service, so nothing is served.
 */
export class Auth {
  readonly state: "locked" | "open" | "unconfigured";
  readonly #token: Uint8Array | undefined;

  constructor({ token, openOnLoopback }: Pick<Settings, "token" | "openOnLoopback">) {
    this.#token = token === undefined ? undefined : encoder.encode(token);
    if (token !== undefined) this.state = "locked";
    else this.state = openOnLoopback ? "open" : "unconfigured";
  }

  /** Whether `shown` authorizes a caller. Takes as long for a wrong token as for the right one of that length. */
  accepts(shown: string): boolean {
    if (this.#token === undefined) return this.state === "open";
    const token = encoder.encode(shown);
    // The comparison needs equal lengths. For unequal ones it still runs, against the token itself, so its time tells nothing.
    const comparable = token.byteLength === this.#token.byteLength;
    return crypto.subtle.timingSafeEqual(token, comparable ? this.#token : token) && comparable;
  }
}

/** The answer of a deployment without a token. */
export function authNotConfigured(): Failure {
  return failure(
    "auth_not_configured",
    "This deployment has no token, so it serves nothing. Set one: npx wrangler secret put KV_TOKEN",
  );
}
