/** The value of an entry that was read: whole, or in chunks that are still to be read from its bucket. */

import type { Entry, EntryInfo } from "../model/entry.ts";
import type { Found } from "../model/outcome.ts";
import { bytesOf, type Value } from "../model/value.ts";
import type { ByteRange, Transfer } from "./transfer.ts";

/** The outcome of reading one key. */
export type Read =
  | Exclude<Found<Entry>, { readonly outcome: "found" }>
  | {
      readonly outcome: "found";
      readonly entry: EntryInfo;
      readonly etag: string;
      readonly value: StoredValue;
    };

export type FoundRead = Extract<Read, { readonly outcome: "found" }>;

export class StoredValue {
  /** Size of the value, in bytes. */
  readonly size: number;
  /** The value; undefined if it is in chunks. */
  readonly whole: Value | undefined;
  readonly #large: string | null;
  readonly #transfer: Transfer;
  readonly #lease: string | undefined;

  /** @param lease the caller's lease on a large value whose entry was deleted */
  constructor(
    { value, large, size }: Pick<Entry, "value" | "large" | "size">,
    transfer: Transfer,
    lease?: string,
  ) {
    this.size = size;
    this.whole = large === null ? value : undefined;
    this.#large = large;
    this.#transfer = transfer;
    this.#lease = lease;
  }

  /** The value, or a range of it, as a response's body. A stream reads chunks as they are consumed. */
  body(range?: ByteRange): Value | Uint8Array | ReadableStream<Uint8Array> {
    if (this.#large !== null) {
      return this.#transfer.read({ large: this.#large, size: this.size }, { range, lease: this.#lease });
    }
    const value = this.whole ?? "";
    return range === undefined ? value : bytesOf(value).slice(range.first, range.last + 1);
  }

  /** The whole value, in memory. @throws {KvError} `key_not_found` if the value is replaced while it is read */
  async read(): Promise<Value> {
    if (this.whole !== undefined) return this.whole;
    return new Response(this.body() as ReadableStream<Uint8Array>).arrayBuffer();
  }

  /** The value in pieces. @throws {KvError} `key_not_found` if the value is replaced while it is read */
  async *pieces(): AsyncGenerator<Uint8Array, void, void> {
    if (this.#large === null) yield bytesOf(this.whole ?? "");
    else yield* this.#transfer.chunks({ large: this.#large, size: this.size }, { lease: this.#lease });
  }
}
