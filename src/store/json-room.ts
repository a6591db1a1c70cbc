/** Bounds the values of one answer in JSON, by their length there. */

import type { Entry, EntryInfo } from "../model/entry.ts";
import { KvError } from "../model/errors.ts";
import { MAX_RESULT_LENGTH } from "../model/limits.ts";
import { jsonLengthOf } from "../model/value.ts";
import type { Room } from "./executor.ts";

/** A thousand values of this size fit an answer, however JSON writes them. */
const SMALL_BYTES = 1_024;
/** Characters of JSON for one byte, at most: a control character's escape. */
const MAX_JSON_GROWTH = 6;

export class JsonRoom implements Room {
  #taken = 0;
  /** Set once a value had no room; from then on only small values are read. */
  #full: KvError | undefined;

  get isFull(): boolean {
    return this.#full !== undefined;
  }

  /** Of a thousand values without room none is to cost what one does: they are not even read. */
  refuseUnread(info: EntryInfo | undefined): void {
    if (this.#full !== undefined && info?.large === null && info.size > SMALL_BYTES) throw this.#full;
  }

  /** @throws {KvError} `result_too_large` */
  take({ value, size, large }: Entry): void {
    // A large value is only named in the answer, and read by itself.
    if (large !== null) return;
    const length = size <= SMALL_BYTES ? size * MAX_JSON_GROWTH : jsonLengthOf(value);
    if (this.#taken + length > MAX_RESULT_LENGTH) throw this.#tooLarge();
    this.#taken += length;
  }

  #tooLarge(): KvError {
    this.#full ??= new KvError(
      "result_too_large",
      `One request answers values of at most ${MAX_RESULT_LENGTH} characters of JSON. Read the others in another one.`,
    );
    return this.#full;
  }
}
