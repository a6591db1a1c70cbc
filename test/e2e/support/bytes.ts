/** Values of many bytes. */

import { createHash, randomBytes } from "node:crypto";

export const MEBIBYTE = 1_048_576;

export function random(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(randomBytes(size));
}

/** Tells values apart; what it says of two that differ is short. */
export function digest(bytes: ArrayBuffer | Uint8Array): string {
  const hash = createHash("sha256").update(new Uint8Array(bytes)).digest("hex");
  return `${bytes.byteLength} bytes, ${hash}`;
}
