/** Names and keys in a path: one segment each, percent-encoded once. */

import { KvError } from "../errors.ts";
import { bucketName, key } from "../limits.ts";

/**
 * The bucket that a request is about: the segment behind `/v1/buckets/`.
 * @throws {KvError} `bucket_name_invalid`
 */
export function bucketOf(request: Request): string {
  const name = decode(segment(request, 3));
  if (name === undefined) throw new KvError("bucket_name_invalid", "The bucket's name is not percent-encoded UTF-8.");
  return bucketName(name);
}

/**
 * The key that a request is about: the segment behind `/keys/`, or `?key64=` for what a URL can't carry.
 * @throws {KvError} `key_invalid`, `key_too_long`
 */
export function keyOf(request: Request): string {
  const key64 = new URL(request.url).searchParams.get("key64");
  const text = key64 === null ? decode(segment(request, 5)) : decode64(key64);
  if (text === undefined) {
    throw new KvError("key_invalid", "A key is UTF-8: percent-encoded in the path, or base64url in ?key64=.");
  }
  return key(text);
}

/**
 * Taken from the URL as it came: a router decodes before it matches, and to decode twice would turn the
 * key `%41` into `A`.
 */
function segment(request: Request, index: number): string {
  const path = /^[^:]+:\/\/[^/]*([^?#]*)/.exec(request.url)?.[1] ?? "";
  return path.split("/")[index] ?? "";
}

function decode(text: string): string | undefined {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function decode64(text: string): string | undefined {
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
