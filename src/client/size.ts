/** How much something takes up. */

import type { Encoded } from "./codecs.ts";

/** Whether it is more than so many bytes. A character of text is at most three: most texts need no counting. */
export function isLargerThan(bytes: number, encoded: Encoded): boolean {
  if (typeof encoded !== "string") return encoded.byteLength > bytes;
  return encoded.length * 3 > bytes && new TextEncoder().encode(encoded).byteLength > bytes;
}
