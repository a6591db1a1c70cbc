/** A codec for the stores of other libraries, which keep text, bytes, and whatever else they are given. */

import { bytes, json, text, type Codec } from "./codecs.ts";

/** Stores text and bytes as they are, and anything else as JSON. The content type tells them apart when reading. */
export const byType: Codec = {
  type: json.type,
  encode: (value) => codecOf(value).encode(value),
  decode: (encoded, type) => (BY_TYPE.get(type) ?? text).decode(encoded, type),
};

const BY_TYPE: ReadonlyMap<string, Codec> = new Map(
  [json, text as Codec, bytes as Codec].map((codec) => [codec.type, codec]),
);

/** The content type for a value. */
export function typeOf(value: unknown): string {
  return codecOf(value).type;
}

function codecOf(value: unknown): Codec {
  if (typeof value === "string") return text as Codec;
  return value instanceof Uint8Array ? (bytes as Codec) : json;
}
