/** Converts values from and to the types that other Workers use. */

import type { Body } from "../directory/body.ts";
import type { StoredValue } from "../directory/stored-value.ts";
import { KvError } from "../model/errors.ts";
import { CHUNK_BYTES } from "../model/limits.ts";
import { bytesOf, sentBytes, textOf, type Value } from "../model/value.ts";
import { readJson } from "./exact-json.ts";

export type GivenValue = string | ArrayBuffer | ArrayBufferView | ReadableStream<Uint8Array>;

/** The type in which a value is returned. */
export type ValueType = "text" | "json" | "arrayBuffer" | "stream";

export const TYPES: readonly ValueType[] = ["text", "json", "arrayBuffer", "stream"];
/** Most bytes of values in one message. The platform's limit is 32 MiB, including what surrounds the value. */
const MAX_SENT_BYTES = 31 * 1_048_576;
/** Most bytes of JSON text that is parsed: a parsed value takes more room in a message than its text. */
const MAX_JSON_BYTES = 8 * 1_048_576;

/** Converts an argument to a value; a large one to a body, for upload in chunks. @throws {KvError} `value_invalid` */
export function givenValue(given: GivenValue): Value | Body {
  if (given instanceof ReadableStream) return given;
  if (typeof given !== "string" && !(given instanceof ArrayBuffer) && !ArrayBuffer.isView(given)) {
    throw new KvError(
      "value_invalid",
      "A value must be a string, an ArrayBuffer, a view of one, or a ReadableStream.",
    );
  }
  const value = typeof given === "string" ? given.toWellFormed() : copied(given);
  const bytes = bytesOf(value);
  return bytes.byteLength <= CHUNK_BYTES ? value : [bytes];
}

/** The room for several values in one message. */
export class MessageRoom {
  readonly #type: "text" | "json";
  #left: number;

  constructor(type: "text" | "json") {
    this.#type = type;
    this.#left = type === "json" ? MAX_JSON_BYTES : MAX_SENT_BYTES;
  }

  /** Takes room for one more value. @throws {KvError} `result_too_large` if there is not enough left */
  admit(value: unknown, size: number): void {
    this.#left -= typeof value === "string" ? sentBytes(value) : size;
    if (this.#left >= 0) return;
    throw new KvError(
      "result_too_large",
      `Together these values are too large for one message as ${this.#type}. Read fewer keys at once.`,
    );
  }
}

/**
 * Converts a stored value to the type that the caller wants.
 * @throws {KvError} `value_invalid` if it is not JSON; `result_too_large` if it does not fit a message as this type
 */
export async function wanted(value: StoredValue, type: ValueType): Promise<unknown> {
  if (type === "stream") {
    return value.whole === undefined ? value.body() : new Blob([value.whole]).stream();
  }
  checkType(type);
  if (type === "json" && value.size > MAX_JSON_BYTES) throw tooLarge("JSON", MAX_JSON_BYTES);
  const whole = await value.read();
  if (type === "arrayBuffer") return copied(bytesOf(whole));
  const read = ofText(whole, type);
  if (typeof read === "string" && sentBytes(read) > MAX_SENT_BYTES) throw tooLarge("text", MAX_SENT_BYTES);
  return read;
}

/** @throws {KvError} `query_invalid` */
export function checkType(type: ValueType): void {
  if (TYPES.includes(type)) return;
  throw new KvError("query_invalid", "The type must be one of text, json, arrayBuffer, stream.");
}

function tooLarge(kind: string, limit: number): KvError {
  return new KvError(
    "result_too_large",
    `The value is too large to be read as ${kind}: the limit is ${limit} bytes. Read it as a stream, or as an arrayBuffer.`,
  );
}

/** Like {@link wanted}, for a value in memory. */
export function ofText(value: Value, type: "text" | "json"): unknown {
  // Bytes that are not UTF-8 are replaced, as in Workers KV.
  const text =
    textOf(value) ?? new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(bytesOf(value));
  if (type === "text") return text;
  try {
    return readJson(text);
  } catch (error) {
    if (error instanceof KvError) throw error;
    throw new KvError("value_invalid", "The value is not JSON. Read it as text or bytes.");
  }
}

function copied(bytes: ArrayBuffer | ArrayBufferView): ArrayBuffer {
  if (bytes instanceof ArrayBuffer) return bytes;
  const { buffer, byteOffset, byteLength } = bytes;
  return new Uint8Array(buffer, byteOffset, byteLength).slice().buffer;
}
