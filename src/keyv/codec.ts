/** Values as keyv gives them: text that it has written itself, or whatever its user keeps without that. */

import { bytes, json, text, type Codec } from "../client/codecs.ts";

/** Text and bytes as they are, anything else as JSON: the content type says which of them it was. */
export const asGiven: Codec = {
  type: json.type,
  encode: (value) => codecOf(value).encode(value),
  decode: (encoded, type) => (BY_TYPE.get(type) ?? text).decode(encoded, type),
};

const BY_TYPE: ReadonlyMap<string, Codec> = new Map(
  [json, text as Codec, bytes as Codec].map((codec) => [codec.type, codec]),
);

/** The content type to store a value with. */
export function typeOf(value: unknown): string {
  return codecOf(value).type;
}

function codecOf(value: unknown): Codec {
  if (typeof value === "string") return text as Codec;
  return value instanceof Uint8Array ? (bytes as Codec) : json;
}
