/** Values as other Workers hand them over and want them back. */

import type { Body } from "../directory/body.ts";
import type { StoredValue } from "../directory/stored-value.ts";
import { KvError } from "../model/errors.ts";
import { CHUNK_BYTES } from "../model/limits.ts";
import { bytesOf, sentBytes, textOf, type Value } from "../model/value.ts";
import { readJson } from "./exact-json.ts";

export type GivenValue = string | ArrayBuffer | ArrayBufferView | ReadableStream<Uint8Array>;

/** How a value is wanted. */
export type ValueType = "text" | "json" | "arrayBuffer" | "stream";

export const TYPES: readonly ValueType[] = ["text", "json", "arrayBuffer", "stream"];
/** A message between Workers has 32 MiB; what is around the value needs some of it. */
const MAX_SENT_BYTES = 31 * 1_048_576;
/** Parsed, JSON takes up more than its text, by how much depends on what it is. */
const MAX_JSON_BYTES = 8 * 1_048_576;

/** A value as a bucket's handle takes it: in chunks if it is large. @throws {KvError} `value_invalid` */
export function givenValue(given: GivenValue): Value | Body {
  if (given instanceof ReadableStream) return given;
  if (typeof given !== "string" && !(given instanceof ArrayBuffer) && !ArrayBuffer.isView(given)) {
    throw new KvError(
      "value_invalid",
      "A value is a string, an ArrayBuffer, a view of one, or a ReadableStream.",
    );
  }
  const value = typeof given === "string" ? given.toWellFormed() : copied(given);
  const bytes = bytesOf(value);
  return bytes.byteLength <= CHUNK_BYTES ? value : [bytes];
}

/** What several values may take up together in a message. */
export class Room {
  readonly #type: "text" | "json";
  #left: number;

  constructor(type: "text" | "json") {
    this.#type = type;
    this.#left = type === "json" ? MAX_JSON_BYTES : MAX_SENT_BYTES;
  }

  /** @throws {KvError} `result_too_large`, if the value is too much with those before it */
  take(value: unknown, size: number): void {
    this.#left -= typeof value === "string" ? sentBytes(value) : size;
    if (this.#left >= 0) return;
    throw new KvError(
      "result_too_large",
      `As ${this.#type} these values are too large for one message. Read fewer of them at once.`,
    );
  }
}

/** @throws {KvError} `value_invalid`, if it is not of the type that is wanted; `result_too_large`, if it can't travel so */
export async function wanted(value: StoredValue, type: ValueType): Promise<unknown> {
  if (type === "stream") {
    return value.whole === undefined ? value.body() : new Blob([value.whole]).stream();
  }
  if (!TYPES.includes(type)) {
    throw new KvError("query_invalid", "A value is read as text, json, arrayBuffer or stream.");
  }
  if (type === "json" && value.size > MAX_JSON_BYTES) throw tooLarge("JSON", MAX_JSON_BYTES);
  const whole = await value.read();
  if (type === "arrayBuffer") return copied(bytesOf(whole));
  const read = ofText(whole, type);
  if (typeof read === "string" && sentBytes(read) > MAX_SENT_BYTES) throw tooLarge("text", MAX_SENT_BYTES);
  return read;
}

function tooLarge(kind: string, limit: number): KvError {
  return new KvError(
    "result_too_large",
    `As ${kind} a value travels in up to ${limit} bytes of a message. Read it as a stream, or as an arrayBuffer.`,
  );
}

/** As {@link wanted}, of a value that is there. */
export function ofText(value: Value, type: "text" | "json"): unknown {
  // Bytes that are no UTF-8 are replaced, as Workers KV does it.
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
