/** Base64 for platforms without `Uint8Array.prototype.toBase64`, such as Node 20. */

/** Bytes per call of `String.fromCharCode`: engines limit the number of arguments. */
const AT_ONCE = 8_192;

export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += AT_ONCE) {
    binary += String.fromCharCode(...bytes.subarray(at, at + AT_ONCE));
  }
  return btoa(binary);
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Base64url of the text's UTF-8, without padding. Used where a URL path or a header can't carry the text itself. */
export function toBase64Url(text: string): string {
  return toBase64(new TextEncoder().encode(text))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}
