/** What a connection has to show before it may go on. */

import type { Admission } from "../text/interpreter.ts";
import type { Auth } from "../config/auth.ts";

/** Wrong tokens on one connection, at most. */
const MAX_WRONG = 3;

/** The login of one connection: AUTH with the token, unless the service is open. */
export class Login implements Admission {
  admitted: boolean;
  readonly #auth: Auth;
  readonly #peer: string;
  #wrong = 0;

  /** @param peer the other side's address, for the log */
  constructor(auth: Auth, peer: string) {
    this.#auth = auth;
    this.#peer = peer;
    this.admitted = auth.state === "open";
  }

  /** Whether there were too many wrong tokens: the connection is to be closed. */
  get exhausted(): boolean {
    return this.#wrong >= MAX_WRONG;
  }

  accepts(token: string): boolean {
    if (this.#auth.accepts(token)) return true;
    this.#wrong += 1;
    // The token itself is never printed: it may be the right one of another service.
    if (this.exhausted) console.warn(`auth: ${MAX_WRONG} wrong tokens from ${this.#peer}, connection closed`);
    return false;
  }
}
