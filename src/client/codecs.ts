/** Converts values to text or bytes, and back. */

import { fromBase64, toBase64 } from "./base64.ts";
import { parseJson } from "./exact-json.ts";
import { stringifyJson } from "./stringify-json.ts";

/** What the service stores: text or bytes. */
export type Encoded = string | Uint8Array;

/**
 * Converts values of one type to text or bytes, and back. Both functions may throw.
 * @example
 * ```ts
 * const dates: Codec<Date> = {
 *   type: "text/plain",
 *   encode: (date) => date.toISOString(),
 *   decode: (encoded, type) => new Date(text.decode(encoded, type)),
 * };
 * const births = kv.bucket("births", { codec: dates, create: true });
 * await births.put("ann", new Date("2001-02-03"));
 * console.log((await births.get("ann"))?.getFullYear()); // 2001
 * ```
 */
export interface Codec<Value = unknown> {
  /** The content type to store the values with. */
  readonly type: string;
  /** What it throws is the `cause` of `value_invalid`. */
  readonly encode: (value: Value) => Encoded;
  /** Gets what `encode` made, or another client has stored. What it throws is the `cause` of a `DecodeError`. */
  readonly decode: (encoded: Encoded, type: string) => Value;
}

/** A codec of whatever values, as {@link SchemaOptions} take it. */
export interface AnyCodec extends Pick<Codec, "type" | "decode"> {
  /** As that of a {@link Codec}. */
  readonly encode: (value: never) => Encoded;
}

/**
 * Values are JSON and come back as they were; integers beyond 2^53 are bigints. `encode` throws for anything else.
 * @example
 * ```ts
 * await bucket.put("big", { visits: 2n ** 60n });
 * console.log(await bucket.get("big")); // { visits: 1152921504606846976n }
 * ```
 */
export const json: Codec = {
  type: "application/json",
  encode: (value) => stringifyJson(value),
  decode: (encoded) => parseJson(asText(encoded)),
};

/**
 * Values are text. `encode` throws for half of a surrogate pair, and for what is no string.
 * @example
 * ```ts
 * const notes = kv.bucket("notebook", { codec: text, create: true });
 * await notes.put("today", "buy milk");
 * console.log(await notes.get("today")); // buy milk
 * ```
 */
export const text: Codec<string> = {
  type: "text/plain; charset=utf-8",
  encode: (value) => {
    if (typeof value === "string" && value.isWellFormed()) return value;
    throw new TypeError(
      "This value is not well-formed text. Use another codec, such as json, for values that are not strings.",
    );
  },
  decode: asText,
};

/**
 * Values are bytes: a `Uint8Array`, any other view, or an `ArrayBuffer`. They come back as a `Uint8Array`.
 * @example
 * ```ts
 * const photos = kv.bucket("photos", { codec: bytes, create: true });
 * await photos.put("dot", new Uint8Array([1, 2, 3]));
 * console.log((await photos.get("dot"))?.length); // 3
 * ```
 */
export const bytes: Codec<Uint8Array> = {
  type: "application/octet-stream",
  encode: (value: ArrayBuffer | ArrayBufferView) => {
    if (value instanceof Uint8Array) return value;
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    throw new TypeError("This value is not bytes: give a Uint8Array, another view, or an ArrayBuffer.");
  },
  decode: (encoded) => (typeof encoded === "string" ? new TextEncoder().encode(encoded) : encoded),
};

/** The value's member in a JSON request: text as it is, bytes as Base64. */
export function encodedToJson(encoded: Encoded): { readonly value: string } | { readonly base64: string } {
  return typeof encoded === "string" ? { value: encoded } : { base64: toBase64(encoded) };
}

export function encodedFromJson(carried: {
  readonly value?: string | undefined;
  readonly base64?: string | undefined;
}): Encoded | undefined {
  return carried.base64 === undefined ? carried.value : fromBase64(carried.base64);
}

function asText(encoded: Encoded): string {
  return typeof encoded === "string"
    ? encoded
    : new TextDecoder("utf-8", { ignoreBOM: true }).decode(encoded);
}
