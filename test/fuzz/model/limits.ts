/** What names, keys and values may be, as docs/http.md and docs/protocol.md say it. */

export const MAX_KEY_BYTES = 1_024;
export const MAX_METADATA_BYTES = 1_024;
/** Bytes of the largest value that travels with others. */
export const MAX_WHOLE_BYTES = 1_048_576;
export const MAX_TTL_SECONDS = 315_360_000;

/** The code of a key that is none; undefined if it is one. */
export function keyFault(key: string): "key_invalid" | "key_too_long" | undefined {
  if (key === "" || key.includes("\0") || !key.isWellFormed()) return "key_invalid";
  return Buffer.byteLength(key) > MAX_KEY_BYTES ? "key_too_long" : undefined;
}

export function isBucketName(name: string): boolean {
  return /^[!#-.0-~]{1,256}$/.test(name) && name !== "." && name !== "..";
}

export function isContentType(type: string): boolean {
  return /^[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?$/.test(type);
}

export function isIdempotencyKey(key: string): boolean {
  return isContentType(key);
}

export function isReason(reason: string): boolean {
  return reason !== "" && reason.isWellFormed() && Buffer.byteLength(reason) <= 256;
}

/** Bytes as text; undefined if they are no UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The order of keys: that of their bytes. */
export function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

/** The integer that a value is; undefined if it is none. */
export function integerOf(value: Uint8Array): bigint | undefined {
  const text = value.length <= 20 ? Buffer.from(value).toString("latin1") : "";
  return /^[+-]?\d+$/.test(text) ? BigInt(text) : undefined;
}

export const MIN_INTEGER = -(2n ** 63n);
export const MAX_INTEGER = 2n ** 63n - 1n;
