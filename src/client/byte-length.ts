/** Size of a value in bytes. */

import type { Encoded } from "./codecs.ts";

/** Whether the value exceeds `bytes`. A UTF-16 unit takes at most three bytes, so most texts need not be encoded. */
export function isLargerThan(bytes: number, encoded: Encoded): boolean {
  if (typeof encoded !== "string") return encoded.byteLength > bytes;
  return encoded.length * 3 > bytes && new TextEncoder().encode(encoded).byteLength > bytes;
}
