/** Who may come in: one token for all, compared in constant time. */

import { failure, type Failure } from "../model/errors.ts";
import type { Settings } from "./settings.ts";

const encoder = new TextEncoder();

/**
 * The service's door. `locked`: callers show the token. `open`: there is none, and only this machine can
 * reach the service. `unconfigured`: there is none, and anybody might: nothing is served.
 */
export class Door {
  readonly state: "locked" | "open" | "unconfigured";
  readonly #token: Uint8Array | undefined;

  constructor({ token, openOnLoopback }: Pick<Settings, "token" | "openOnLoopback">) {
    this.#token = token === undefined ? undefined : encoder.encode(token);
    if (token !== undefined) this.state = "locked";
    else this.state = openOnLoopback ? "open" : "unconfigured";
  }

  /** Whether `shown` opens the door. Takes as long for a wrong token as for the right one of that length. */
  accepts(shown: string): boolean {
    if (this.#token === undefined) return this.state === "open";
    const token = encoder.encode(shown);
    // The comparison wants equal lengths. On unequal ones it still runs, against itself, and tells nothing.
    const comparable = token.byteLength === this.#token.byteLength;
    return crypto.subtle.timingSafeEqual(token, comparable ? this.#token : token) && comparable;
  }
}

/** What a deployment without a token answers. */
export function authNotConfigured(): Failure {
  return failure(
    "auth_not_configured",
    "This deployment has no token, so it serves nothing. Set one: npx wrangler secret put KV_TOKEN",
  );
}
