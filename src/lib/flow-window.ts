/**
 * Flow control of one reader. What was sent counts as unacked until the reader acknowledges it; beyond the window nothing
 * more is sent. The limits are those of a {@link Budget}: one for each reader, and one for all readers together.
 */

import type { Budget, Held } from "./budget.ts";

export class FlowWindow {
  readonly #unacked: Held;

  constructor(budget: Budget) {
    this.#unacked = budget.hold();
  }

  /** Bytes or characters that were sent and not acknowledged. */
  get unacked(): number {
    return this.#unacked.bytes;
  }

  /** Whether `amount` more fits. With 0: whether the window is still open. */
  hasRoomFor(amount: number): boolean {
    return this.#unacked.hasRoomFor(amount);
  }

  /** Counts `amount` as sent. @returns false if that exceeds the window: send no more, or drop the reader */
  sent(amount: number): boolean {
    return this.#unacked.add(amount);
  }

  /** Counts an ack of `amount`; everything by default. */
  acked(amount = Infinity): void {
    this.#unacked.keep(Math.max(0, this.#unacked.bytes - amount));
  }
}

/** Characters after which a reader acknowledges: well within every window. */
const ACK_EVERY = 131_072;

/** The reader's half: counts what was read, and says when to acknowledge how much. */
export class Acks {
  #unacked = 0;

  /** Counts `amount` as read. @returns the message that acknowledges it; undefined if it is too soon */
  read(amount: number): string | undefined {
    this.#unacked += amount;
    if (this.#unacked < ACK_EVERY) return undefined;
    const message = `{"ack":${this.#unacked}}`;
    this.#unacked = 0;
    return message;
  }
}

const ACK = /^\s*\{\s*"ack"\s*:\s*(\d{1,15})\s*\}\s*$/;

/** How much a message acknowledges; undefined if it is not an acknowledgement of an amount. */
export function ackOf(message: string | ArrayBuffer): number | undefined {
  const amount = typeof message === "string" ? ACK.exec(message)?.[1] : undefined;
  return amount === undefined ? undefined : Number(amount);
}
