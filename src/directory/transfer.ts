/** Transfers large values between a caller and a bucket, chunk by chunk. */

import { soon } from "../lib/soon.ts";
import { streamed } from "../lib/streamed.ts";
import { KvError } from "../model/errors.ts";
import { KEEP_MS, type LargeValue, type Lease } from "../model/large-value.ts";
import { CHUNK_BYTES } from "../model/limits.ts";
import { cast } from "../otp/call.ts";
import type { Reply } from "../otp/exit.ts";
import type { BucketStub } from "../rpc/bucket-rpc.ts";
import { chunksOf, type Body } from "./body.ts";
import { READ, type Ask, type KeepAlive } from "./directory.ts";

/** A range of a value's bytes, from `first` to `last`, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

export interface ReadOptions {
  /** The whole value if left out. */
  readonly range?: ByteRange | undefined;
  /** The reader's lease, if it has one already. */
  readonly lease?: string | undefined;
}

/** Time between two renewals of a lease, in milliseconds; and the most renewals of one lease, which is one hour. */
const RENEW_MS = KEEP_MS / 4;
const MAX_RENEWALS = 120;

/** Transfers to and from one bucket. */
export class Transfer {
  readonly #ask: Ask;
  readonly #keepAlive: KeepAlive;

  /** @param ask calls the bucket; throws if there is none */
  constructor(ask: Ask, keepAlive: KeepAlive) {
    this.#ask = ask;
    this.#keepAlive = keepAlive;
  }

  /**
   * Uploads a value. A value that fits one chunk is returned as it is. Of a larger value the bucket has all chunks when
   * this returns; it removes them unless they are put under a key soon. At most two chunks are in memory.
   *
   * @throws {KvError} `value_too_large`; `upload_lost` if the client or the bucket has gone; `bucket_not_found`
   */
  async upload(body: Body): Promise<ArrayBuffer | LargeValue> {
    const large = crypto.randomUUID();
    let size = 0;
    let n = 0;
    let sent: Promise<null> | undefined;
    let last: ArrayBuffer | undefined;
    let stopRenewing: (() => void) | undefined;
    const refused = Promise.withResolvers<never>();
    refused.promise.catch(() => undefined); // no unhandled rejection if no chunk is being awaited
    try {
      for await (const chunk of piecesUntil(refused.promise, chunksOf(body))) {
        size += chunk.byteLength;
        if (last !== undefined) {
          stopRenewing ??= this.#renewing((bucket) => bucket.renewLease(large));
          await sent;
          sent = this.#append(large, n, last);
          // If the bucket refuses this chunk, stop at once instead of waiting for a slow client's next chunk.
          sent.catch(refused.reject);
          n += 1;
        }
        last = chunk;
      }
      if (n === 0) return last ?? new ArrayBuffer(0);
      await sent;
      if (last !== undefined) await this.#append(large, n, last);
      return { large, size };
    } catch (error) {
      await sent?.catch(() => undefined);
      if (n > 0) this.abandon(large);
      throw error;
    } finally {
      stopRenewing?.();
    }
  }

  /** Tells the bucket to remove an upload. If the upload was put under a key, it stays. */
  abandon(large: string): void {
    this.#cast((bucket) => bucket.abandon(large));
  }

  /** A large value as a stream; chunks are read as they are consumed. It errors if the value is removed meanwhile. */
  read(value: LargeValue, options: ReadOptions = {}): ReadableStream<Uint8Array> {
    const { first, last } = options.range ?? wholeOf(value);
    const stream = new FixedLengthStream(last - first + 1);
    return streamed(this.chunks(value, options), this.#keepAlive, stream);
  }

  /** Like {@link read}, chunk by chunk. The next chunk is requested while one is used. */
  async *chunks(
    value: LargeValue,
    { range = wholeOf(value), lease = crypto.randomUUID() }: ReadOptions = {},
  ): AsyncGenerator<Uint8Array, void, void> {
    const { large } = value;
    const { first, last } = range;
    const end = Math.floor(last / CHUNK_BYTES);
    const stopRenewing = this.#renewing((bucket) => bucket.renewLease(large, lease));
    const ask = (n: number): Promise<ArrayBuffer> => {
      if (n === end) stopRenewing();
      return this.#chunk(large, n, { lease, last: n === end });
    };
    let n = Math.floor(first / CHUNK_BYTES);
    let next = ask(n);
    try {
      for (; n <= end; n += 1) {
        const bytes = await next;
        if (n < end) {
          next = ask(n + 1);
          next.catch(() => undefined); // no unhandled rejection if it is never awaited
        }
        const start = n * CHUNK_BYTES;
        yield new Uint8Array(bytes).subarray(Math.max(0, first - start), last + 1 - start);
      }
    } finally {
      stopRenewing();
      if (n < end) this.#cast((bucket) => bucket.releaseLease(lease));
    }
  }

  /**
   * Renews a lease regularly, so that the bucket keeps chunks without an entry while they are sent or read slowly.
   * Stops after one hour in case the peer vanished. @returns a function that stops it
   */
  #renewing(renew: (bucket: BucketStub) => Promise<Reply<null>>): () => void {
    let left = MAX_RENEWALS;
    const timer = setInterval(() => {
      left -= 1;
      if (left === 0) clearInterval(timer);
      this.#cast(renew);
    }, RENEW_MS);
    return () => clearInterval(timer);
  }

  #cast(send: (bucket: BucketStub) => Promise<Reply<null>>): void {
    cast(() => this.#ask(send), this.#keepAlive);
  }

  #append(large: string, n: number, bytes: ArrayBuffer): Promise<null> {
    return this.#ask((bucket) => bucket.append(large, n, bytes));
  }

  async #chunk(large: string, n: number, lease: Lease): Promise<ArrayBuffer> {
    const bytes = await this.#ask((bucket) => bucket.chunk(large, n, lease), READ);
    if (bytes !== null) return bytes;
    throw new KvError("key_not_found", "The value was replaced or deleted while it was read. Read it again.");
  }
}

function wholeOf({ size }: LargeValue): ByteRange {
  return { first: 0, last: size - 1 };
}

/** The pieces, until `refused` rejects; then the rest is left unread. */
async function* piecesUntil<T>(
  refused: Promise<never>,
  pieces: AsyncGenerator<T, void, void>,
): AsyncGenerator<T, void, void> {
  try {
    for (;;) {
      const next = await Promise.race([pieces.next(), refused]);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // Wait for the pending read, so that another reader can drain the rest; but not for long, as it may never end.
    await soon(pieces.return()).catch(() => undefined);
  }
}
