/** Bytes as text, and text as bytes: UTF-8, base64url, one character for each byte. */

const ASCII = /^[\0-\x7f]*$/;
const encoder = new TextEncoder();

/** How many bytes `text` has in UTF-8. */
export function byteLength(text: string): number {
  return ASCII.test(text) ? text.length : encoder.encode(text).length;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decodes UTF-8; undefined if the bytes are not UTF-8. A byte order mark is kept. */
export function decodeUtf8(bytes: ArrayBuffer | Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Bytes that become characters in one call: each of them is an argument. */
const AT_ONCE = 8_192;

/**
 * A text with one character for each byte, U+0000 to U+00FF. No TextDecoder does this: by the Encoding standard, "latin1"
 * is windows-1252, which changes 0x80 to 0x9F.
 */
export function byteCharacters(bytes: Uint8Array): string {
  let text = "";
  for (let from = 0; from < bytes.length; from += AT_ONCE) {
    text += String.fromCharCode(...bytes.subarray(from, from + AT_ONCE));
  }
  return text;
}

/** The bytes of a text that {@link byteCharacters} has made. */
export function bytesOfCharacters(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** Decodes base64url of UTF-8; undefined if the text is not that. */
export function decode64(text: string): string | undefined {
  try {
    return decodeUtf8(Uint8Array.fromBase64(text, { alphabet: "base64url" }));
  } catch {
    return undefined;
  }
}
