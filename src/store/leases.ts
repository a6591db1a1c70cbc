/** Who reads which large value. In memory: what is lost with it are readers, and they say again that they read. */

import { isRecent } from "../lib/recent.ts";

/** One chunk's part in a reading. */
export interface Reading {
  /** Whoever reads makes it up, for one reading. */
  readonly reader: string;
  /** Whether this is all that was still to be read. */
  readonly last: boolean;
}

/** Readers that are forgotten when nothing was heard of them for a while. */
export class Readers {
  readonly #keepMs: number;
  /** In the order in which they were heard of, by reader. */
  readonly #readers = new Map<string, { readonly large: string; readonly at: number }>();

  /** @param keepMs how long a reader is believed to be there, in milliseconds */
  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  reading(large: string, { reader, last }: Reading, now: number): void {
    this.#readers.delete(reader);
    if (last) return;
    this.#readers.set(reader, { large, at: now });
    this.#forget(now);
  }

  done(reader: string): void {
    this.#readers.delete(reader);
  }

  /** The values that are being read. */
  values(now: number): ReadonlySet<string> {
    this.#forget(now);
    return new Set([...this.#readers.values()].map(({ large }) => large));
  }

  #forget(now: number): void {
    for (const [reader, { large, at }] of this.#readers) {
      // The clock was put back: counted from now on, so that it neither goes too soon nor stays for ever.
      if (at > now) this.#readers.set(reader, { large, at: now });
      else if (isRecent(at, now, this.#keepMs)) return;
      else this.#readers.delete(reader);
    }
  }
}
