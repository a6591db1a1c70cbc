/** The login of a connection: AUTH with the token, unless the service is open. */

import type { Admission } from "../text/interpreter.ts";
import type { Auth } from "../config/auth.ts";

/** A connection is closed after this many wrong tokens. */
const MAX_WRONG = 3;

/** The login of one connection. It counts wrong tokens. */
export class Login implements Admission {
  admitted: boolean;
  readonly #auth: Auth;
  readonly #peer: string;
  #wrong = 0;

  /** @param peer the client's address, for the log */
  constructor(auth: Auth, peer: string) {
    this.#auth = auth;
    this.#peer = peer;
    this.admitted = auth.state === "open";
  }

  /** Whether there were too many wrong tokens. Then close the connection. */
  get exhausted(): boolean {
    return this.#wrong >= MAX_WRONG;
  }

  accepts(token: string): boolean {
    if (this.#auth.accepts(token)) return true;
    this.#wrong += 1;
    // The token itself is never printed: it may be a valid token of another service.
    if (this.exhausted) console.warn(`auth: ${MAX_WRONG} wrong tokens from ${this.#peer}, connection closed`);
    return false;
  }
}
