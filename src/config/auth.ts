/** Authorization: one token for all callers, compared in constant time. */

import { failure, type Failure } from "../model/errors.ts";
import type { Settings } from "./settings.ts";

const encoder = new TextEncoder();

/**
 * The authorization of a deployment. `locked`: callers must send the token. `open`: there is no token, because only this
 * machine can reach the service. `unconfigured`: there is no token although other machines may reach the service, so every
 * request is refused.
 */
export class Auth {
  readonly state: "locked" | "open" | "unconfigured";
  readonly #token: Uint8Array | undefined;

  constructor({ token, openOnLoopback }: Pick<Settings, "token" | "openOnLoopback">) {
    this.#token = token === undefined ? undefined : encoder.encode(token);
    if (token !== undefined) this.state = "locked";
    else this.state = openOnLoopback ? "open" : "unconfigured";
  }

  /**
   * Whether a token authorizes its caller. A wrong token takes as long as the right one of the same length.
   * @param shown the token that the caller sent
   */
  accepts(shown: string): boolean {
    if (this.#token === undefined) return this.state === "open";
    const token = encoder.encode(shown);
    // The comparison needs equal lengths. With other lengths it compares the caller's token with itself, so the time
    // reveals nothing.
    const comparable = token.byteLength === this.#token.byteLength;
    return crypto.subtle.timingSafeEqual(token, comparable ? this.#token : token) && comparable;
  }
}

/** The failure of every request to a deployment without a token. */
export function authNotConfigured(): Failure {
  return failure(
    "auth_not_configured",
    "This deployment has no token, so it serves nothing. Set one: npx wrangler secret put KV_TOKEN",
  );
}
