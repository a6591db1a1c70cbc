/** Bytes as text, where they are text. */

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text whose UTF-8 the bytes are; undefined if they are no UTF-8. */
export function decodeUtf8(bytes: ArrayBuffer | Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Base64url of UTF-8; undefined if it is not that. */
export function decode64(text: string): string | undefined {
  try {
    return decodeUtf8(Uint8Array.fromBase64(text, { alphabet: "base64url" }));
  } catch {
    return undefined;
  }
}
