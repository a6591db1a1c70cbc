/** Bytes that are kept in memory for others: bounded for each of them, and for all together. */

export interface BudgetLimits {
  /** Bytes that one holder may keep. */
  readonly each: number;
  /** Bytes that all may keep together … */
  readonly all: number;
  /** … except that a holder with no more than this is never refused. */
  readonly share: number;
}

/** What one holder keeps. */
export interface Held {
  /** Bytes. */
  readonly bytes: number;
  /** Keeps so many bytes now. @returns whether that is allowed; if not, the holder is to end, and keeps nothing more */
  keep(bytes: number): boolean;
  /** Whether so many more would be allowed. */
  hasRoomFor(bytes: number): boolean;
  /** As {@link keep}, with so many more, or fewer. */
  add(bytes: number): boolean;
}

export class Budget {
  readonly #limits: BudgetLimits;
  #used = 0;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  /** Bytes that are kept now. */
  get used(): number {
    return this.#used;
  }

  /** A new holder, which keeps nothing yet. One that ends keeps 0. */
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
