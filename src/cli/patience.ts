/** How long a service may do nothing, where how long all of it takes is nobody's business. */

import { LONGEST_TIMER_MS, relay } from "../client/deadline.ts";
import { TimeoutError } from "../client/index.ts";

export class Patience {
  readonly #ms: number;
  readonly #over = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  /** @param interrupted ends it before its time */
  constructor(ms: number, interrupted?: AbortSignal) {
    this.#ms = Math.min(ms, LONGEST_TIMER_MS);
    relay(interrupted, this.#over);
  }

  /** Fires when it is over, with a {@link TimeoutError} if nothing else has ended it. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** It is the service's turn; anew, if it was. */
  begin(): void {
    this.rest();
    this.#timer = setTimeout(() => {
      const why = `Nothing has happened for ${this.#ms / 1_000} s. Whether all of it was done is unknown.`;
      this.#over.abort(new TimeoutError("timeout", why));
    }, this.#ms);
  }

  /** It is somebody else's. */
  rest(): void {
    clearTimeout(this.#timer);
  }
}

/** The same pieces; the time until each of them comes counts, and what is done with it does not. */
export async function* awaited(
  pieces: AsyncIterable<Uint8Array>,
  patience: Patience,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    patience.begin();
    for await (const piece of pieces) {
      patience.rest();
      yield piece;
      patience.begin();
    }
  } finally {
    patience.rest();
  }
}
