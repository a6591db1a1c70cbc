/**
 * Flow control toward one reader. What it was sent counts until it is acknowledged; past the window nothing more is sent
 * to it. The limits are a {@link Budget}'s: one for each reader, and one for all readers together.
 */

import type { Budget, Held } from "./budget.ts";

export class FlowWindow {
  readonly #unacked: Held;

  constructor(budget: Budget) {
    this.#unacked = budget.hold();
  }

  /** Bytes, or characters, that were sent and not acknowledged. */
  get unacked(): number {
    return this.#unacked.bytes;
  }

  /** Whether so much more may be sent; with 0, whether the window is kept now. */
  hasRoomFor(amount: number): boolean {
    return this.#unacked.hasRoomFor(amount);
  }

  /** Something was sent. @returns whether the window is kept; if not, the reader is to be sent no more, or to be dropped */
  sent(amount: number): boolean {
    return this.#unacked.add(amount);
  }

  /** So much was acknowledged; everything, if it is left out. */
  acked(amount = Infinity): void {
    this.#unacked.keep(Math.max(0, this.#unacked.bytes - amount));
  }
}

/** Characters after which a reader acknowledges: well within every window. */
const ACK_EVERY = 131_072;

/** The reader's half: counts what was read, and says when to acknowledge. */
export class Acks {
  #unacked = 0;

  /** So much was read. @returns whether to acknowledge it now */
  read(amount: number): boolean {
    this.#unacked += amount;
    if (this.#unacked < ACK_EVERY) return false;
    this.#unacked = 0;
    return true;
  }
}
