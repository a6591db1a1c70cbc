/** Values of any size from their caller's side: small ones in one call, large ones chunk by chunk. */

import { KvError } from "../model/errors.ts";
import { CHUNK_BYTES } from "../model/limits.ts";
import { cast } from "../otp/call.ts";
import type { Reply } from "../otp/exit.ts";
import { soon } from "./received.ts";
import { READ, type BucketCall } from "./directory.ts";
import { streamed } from "../lib/streamed.ts";
import { chunksOf, type Body } from "./body-chunks.ts";
import type { Bucket } from "../bucket/bucket.ts";
import { isLarge, KEEP_MS, type LargeValue } from "../store/large-values.ts";
import type { Reading } from "../store/leases.ts";
import type { Value } from "../model/value.ts";

/** The part of a value that is asked for: from the first byte to the last, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** Between two signs that a value is in use, in milliseconds; and how many there are of them: an hour's. */
const HOLD_MS = KEEP_MS / 4;
const MAX_HOLDS = 120;

/** A bucket's large values. */
export class Transfer {
  readonly #ask: BucketCall;
  readonly #keepAlive: (sent: Promise<unknown>) => void;

  constructor(ask: BucketCall, keepAlive: (sent: Promise<unknown>) => void) {
    this.#ask = ask;
    this.#keepAlive = keepAlive;
  }

  /**
   * Takes a body in. One that is no larger than a chunk comes back as it is; of a larger one the bucket has the
   * chunks when this returns, and forgets them again unless they are put under a key soon. No more than two
   * chunks are in memory.
   *
   * @returns undefined if there is no such bucket.
   * @throws {KvError} `value_too_large`; `upload_lost` where the sender or the bucket has gone
   */
  async take(body: Body): Promise<ArrayBuffer | LargeValue | undefined> {
    const large = crypto.randomUUID();
    let size = 0;
    let n = 0;
    let sent: Promise<boolean> | undefined;
    let held: ArrayBuffer | undefined;
    let holding: (() => void) | undefined;
    const refused = Promise.withResolvers<undefined>();
    refused.promise.catch(() => undefined); // also heard when nobody waits for a chunk
    try {
      for await (const chunk of piecesUntil(refused.promise, chunksOf(body))) {
        size += chunk.byteLength;
        if (held !== undefined) {
          holding ??= this.#holding((bucket) => bucket.hold(large));
          if (sent !== undefined && !(await sent)) return undefined;
          sent = this.#append(large, n, held);
          // The sender may take as long as it likes for the next one, and that may be in vain.
          sent.then((there) => there || refused.resolve(undefined), refused.reject);
          n += 1;
        }
        held = chunk;
      }
      if (n === 0) return held ?? new ArrayBuffer(0);
      if (sent !== undefined && !(await sent)) return undefined;
      if (held !== undefined && !(await this.#append(large, n, held))) return undefined;
      return { large, size };
    } catch (error) {
      await sent?.catch(() => undefined);
      if (n > 0) this.abandon(large);
      throw error;
    } finally {
      holding?.();
    }
  }

  /** Has a value stored that was taken; a large one is given up if it then is not. */
  async store<T extends { readonly outcome: string }>(
    value: Value | LargeValue,
    put: (bucket: DurableObjectStub<Bucket>) => Promise<Reply<T>>,
  ): Promise<T | undefined> {
    let stored = false;
    try {
      const written = await this.#ask(put);
      stored = written?.outcome === "stored";
      return written;
    } finally {
      if (!stored && isLarge(value)) this.abandon(value.large);
    }
  }

  /** Says that an upload will not be put under a key. One that was, all the same, stays. */
  abandon(large: string): void {
    this.#cast((bucket) => bucket.abandon(large));
  }

  /** The bytes of a large value, read as fast as they are taken. The stream breaks if the value goes away. */
  read(
    { large, size }: LargeValue,
    range: ByteRange = { first: 0, last: size - 1 },
  ): ReadableStream<Uint8Array> {
    const stream = new FixedLengthStream(range.last - range.first + 1);
    return streamed(this.chunks({ large, size }, range), this.#keepAlive, stream);
  }

  /** As {@link read}, piece by piece. The next one is asked for while one is used. */
  async *chunks(
    { large, size }: LargeValue,
    { first, last }: ByteRange = { first: 0, last: size - 1 },
  ): AsyncGenerator<Uint8Array, void, void> {
    const reader = crypto.randomUUID();
    const end = Math.floor(last / CHUNK_BYTES);
    const holding = this.#holding((bucket) => bucket.hold(large, reader));
    const ask = (n: number): Promise<ArrayBuffer> => {
      if (n === end) holding();
      return this.#chunk(large, n, { reader, last: n === end });
    };
    let n = Math.floor(first / CHUNK_BYTES);
    let next = ask(n);
    try {
      for (; n <= end; n += 1) {
        const bytes = await next;
        if (n < end) {
          next = ask(n + 1);
          next.catch(() => undefined); // heard when it is awaited, if it is
        }
        const start = n * CHUNK_BYTES;
        yield new Uint8Array(bytes).subarray(Math.max(0, first - start), last + 1 - start);
      }
    } finally {
      holding();
      if (n < end) this.#cast((bucket) => bucket.letGo(reader));
    }
  }

  /**
   * Tells the bucket now and then that a value is still being sent or read, however slowly, so that it keeps what nobody
   * owns. Not for ever: the other side may have gone without a word. @returns what ends it
   */
  #holding(hold: (bucket: DurableObjectStub<Bucket>) => Promise<Reply<null>>): () => void {
    let left = MAX_HOLDS;
    const timer = setInterval(() => {
      left -= 1;
      if (left === 0) clearInterval(timer);
      this.#cast(hold);
    }, HOLD_MS);
    return () => clearInterval(timer);
  }

  #cast(send: (bucket: DurableObjectStub<Bucket>) => Promise<Reply<null>>): void {
    cast(() => this.#ask(send), this.#keepAlive);
  }

  async #append(large: string, n: number, bytes: ArrayBuffer): Promise<boolean> {
    return (await this.#ask((bucket) => bucket.append(large, n, bytes))) !== undefined;
  }

  async #chunk(large: string, n: number, reading: Reading): Promise<ArrayBuffer> {
    const bytes = await this.#ask((bucket) => bucket.chunk(large, n, reading), READ);
    if (bytes) return bytes;
    throw new KvError("key_not_found", "The value was replaced or deleted while it was read. Read it again.");
  }
}

/** What comes until `end` does; what comes behind that is left where it is. */
async function* piecesUntil<T>(
  end: Promise<undefined>,
  pieces: AsyncGenerator<T, void, void>,
): AsyncGenerator<T, void, void> {
  try {
    for (;;) {
      const next = await Promise.race([pieces.next(), end]);
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  } finally {
    // Behind the piece that is still awaited, so that somebody else can read what is left; but that may never come.
    await soon(pieces.return()).catch(() => undefined);
  }
}
