/** A budget of bytes in memory: a limit for each holder, and one for all holders together. */

export interface BudgetLimits {
  /** Bytes for one holder. */
  readonly each: number;
  /** Bytes for all holders together … */
  readonly all: number;
  /** … but a holder with no more than this is never refused. */
  readonly share: number;
}

/** The bytes of one holder. */
export interface Held {
  /** Bytes. */
  readonly bytes: number;
  /** Sets the bytes. @returns false if that is over a limit: the holder must end, and release its bytes with `keep(0)` */
  keep(bytes: number): boolean;
  /** Whether this many more bytes are within the limits. */
  hasRoomFor(bytes: number): boolean;
  /** Like {@link keep}, but relative; `bytes` may be negative. */
  add(bytes: number): boolean;
}

export class Budget {
  readonly #limits: BudgetLimits;
  #used = 0;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  /** Bytes of all holders now. */
  get used(): number {
    return this.#used;
  }

  /** A new holder, with 0 bytes. A holder that ends sets 0. */
  hold(): Held {
    const { each, all, share } = this.#limits;
    let kept = 0;
    const allows = (more: number): boolean =>
      kept + more <= each && (this.#used + more <= all || kept + more <= share);
    const keep = (bytes: number): boolean => {
      this.#used += bytes - kept;
      kept = bytes;
      return allows(0);
    };
    return {
      get bytes() {
        return kept;
      },
      hasRoomFor: allows,
      keep,
      add: (bytes) => keep(kept + bytes),
    };
  }
}
