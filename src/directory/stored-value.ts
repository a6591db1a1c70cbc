/** A value that was found under a key: whole, or read in chunks from the bucket that has it. */

import type { Entry, EntryInfo } from "../model/entry.ts";
import type { Found } from "../model/outcome.ts";
import { bytesOf, type Value } from "../model/value.ts";
import type { ByteRange, Transfer } from "./transfer.ts";

/** A read of one key. */
export type Read =
  | Exclude<Found<Entry>, { readonly outcome: "found" }>
  | {
      readonly outcome: "found";
      readonly entry: EntryInfo;
      readonly etag: string;
      readonly value: StoredValue;
    };

export class StoredValue {
  /** Bytes of the value. */
  readonly size: number;
  /** The value, if it is not in chunks. */
  readonly whole: Value | undefined;
  readonly #large: string | null;
  readonly #transfer: Transfer;

  constructor({ value, large, size }: Pick<Entry, "value" | "large" | "size">, transfer: Transfer) {
    this.size = size;
    this.whole = large === null ? value : undefined;
    this.#large = large;
    this.#transfer = transfer;
  }

  /** The value, or a part of it, as a response's body. A stream is read as fast as it is consumed. */
  body(range?: ByteRange): Value | Uint8Array | ReadableStream<Uint8Array> {
    if (this.#large !== null) return this.#transfer.read({ large: this.#large, size: this.size }, range);
    const value = this.whole ?? "";
    return range === undefined ? value : bytesOf(value).slice(range.first, range.last + 1);
  }

  /** All of it. */
  async read(): Promise<Value> {
    if (this.whole !== undefined) return this.whole;
    return new Response(this.body() as ReadableStream<Uint8Array>).arrayBuffer();
  }

  /** Piece by piece. */
  async *pieces(): AsyncGenerator<Uint8Array, void, void> {
    if (this.#large === null) yield bytesOf(this.whole ?? "");
    else yield* this.#transfer.chunks({ large: this.#large, size: this.size });
  }
}
