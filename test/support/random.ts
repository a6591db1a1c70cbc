/** Random numbers that a seed repeats. */

export class Random {
  #state: number;

  constructor(seed: number) {
    // Neighbouring seeds must not begin alike, and a state of 0 would stay 0.
    this.#state = Math.imul(seed ^ 0x5bf03635, 0x2c1b3c6d) || 1;
    for (let n = 0; n < 8; n += 1) this.#next();
  }

  /** An integer from 0, below `limit`. */
  below(limit: number): number {
    return Math.floor((this.#next() / 2 ** 32) * limit);
  }

  /** A generator of its own, for a part that runs beside others. */
  fork(): Random {
    return new Random(this.#next());
  }

  chance(probability: number): boolean {
    return this.#next() / 2 ** 32 < probability;
  }

  pick<T>(list: readonly T[]): T {
    const [picked] = list.slice(this.below(list.length));
    if (picked === undefined) throw new Error("there is nothing to pick from");
    return picked;
  }

  fill(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = this.#next() & 0xff;
  }

  /** Xorshift with 32 bits of state: enough for a test, and fast. */
  #next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }
}
