/** A limit on the time without progress, for exports and imports, which may take long as a whole. */

import { LONGEST_TIMER_MS, relay } from "../client/deadline.ts";
import { TimeoutError } from "../client/index.ts";

export class IdleTimeout {
  readonly #ms: number;
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  /** @param interrupted aborts earlier, for example on Ctrl-C */
  constructor(ms: number, interrupted?: AbortSignal) {
    this.#ms = Math.min(ms, LONGEST_TIMER_MS);
    relay(interrupted, this.#controller);
  }

  /** Aborted with a {@link TimeoutError} when the time is up, or with the reason of `interrupted`. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Starts the timer, or starts it again: from now on the service has to make progress. */
  restart(): void {
    this.pause();
    this.#timer = setTimeout(() => {
      const why = `No progress for ${this.#ms / 1_000} s. The outcome is unknown.`;
      this.#controller.abort(new TimeoutError("timeout", why));
    }, this.#ms);
  }

  /** Stops the timer while the command itself is busy. */
  pause(): void {
    clearTimeout(this.#timer);
  }
}

/** Passes the pieces on. The timer runs while the next piece is awaited, and not while the consumer handles one. */
export async function* withIdleTimeout(
  pieces: AsyncIterable<Uint8Array>,
  idle: IdleTimeout,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    idle.restart();
    for await (const piece of pieces) {
      idle.pause();
      yield piece;
      idle.restart();
    }
  } finally {
    idle.pause();
  }
}
