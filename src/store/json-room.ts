/** Limits the values in one JSON response by their total length as JSON. */

import type { Entry, EntryInfo } from "../model/entry.ts";
import { KvError } from "../model/errors.ts";
import { MAX_RESULT_LENGTH } from "../model/limits.ts";
import { jsonLengthOf } from "../model/value.ts";
import type { Room } from "./executor.ts";

/** A thousand values of this size always fit a response, whatever JSON has to escape in them. */
const SMALL_BYTES = 1_024;
/** Characters of JSON for one byte at most: the escape of a control character. */
const MAX_JSON_GROWTH = 6;

/** The limit of one response: {@link MAX_RESULT_LENGTH} characters. */
export class JsonRoom implements Room {
  #taken = 0;
  /** Set when a value did not fit; from then on only small values are read. */
  #full: KvError | undefined;

  get isFull(): boolean {
    return this.#full !== undefined;
  }

  /** Refuses a value before it is read, so a thousand values that do not fit cost no reads. */
  refuseUnread(info: EntryInfo | undefined): void {
    if (this.#full !== undefined && info?.large === null && info.size > SMALL_BYTES) throw this.#full;
  }

  /** @throws {KvError} `result_too_large` */
  admit({ value, size, large }: Entry): void {
    // The response only names a large value; the client reads it in a request of its own.
    if (large !== null) return;
    const length = size <= SMALL_BYTES ? size * MAX_JSON_GROWTH : jsonLengthOf(value);
    if (this.#taken + length > MAX_RESULT_LENGTH) throw this.#tooLarge();
    this.#taken += length;
  }

  #tooLarge(): KvError {
    this.#full ??= new KvError(
      "result_too_large",
      `The values of one response have at most ${MAX_RESULT_LENGTH} characters of JSON. Read the other values in another request.`,
    );
    return this.#full;
  }
}
