/** What a request's URL says, taken apart once. */

import { KvError } from "../errors.ts";
import { bucketName, key } from "../limits.ts";
import { decodeUtf8 } from "../utf8.ts";

const PARTS = /^[a-z]+:\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?/i;
const NO_QUERY = new URLSearchParams();

/**
 * The parts of a URL as they came: a router decodes before it matches, and to decode twice would turn the
 * key `%41` into `A`.
 */
export class Target {
  /** Name and port, as in the Host header. */
  readonly host: string;
  readonly path: string;
  readonly #query: string | undefined;
  #segments: readonly string[] | undefined;

  constructor(url: string) {
    const parts = PARTS.exec(url);
    this.host = parts?.[1] ?? "";
    this.path = parts?.[2] ?? "";
    this.#query = parts?.[3];
  }

  get query(): URLSearchParams {
    return this.#query === undefined ? NO_QUERY : new URLSearchParams(this.#query);
  }

  /**
   * The bucket that the request is about: the segment behind `/v1/buckets/`.
   * @throws {KvError} `bucket_name_invalid`
   */
  get bucket(): string {
    const name = decode(this.#segment(3));
    if (name === undefined)
      throw new KvError("bucket_name_invalid", "The name is not percent-encoded UTF-8.");
    return bucketName(name);
  }

  /**
   * The key that the request is about: the segment behind `/keys/`, percent-encoded once, or `?key64=`,
   * base64url, for what a URL can't carry.
   * @throws {KvError} `key_invalid`, `key_too_long`, `query_invalid`
   */
  get key(): string {
    const text = this.#query === undefined ? decode(this.#segment(5)) : this.#queriedKey();
    if (text === undefined) {
      throw new KvError(
        "key_invalid",
        "A key is UTF-8: percent-encoded in the path, or base64url in ?key64=.",
      );
    }
    return key(text);
  }

  #queriedKey(): string | undefined {
    const { query } = this;
    for (const name of query.keys()) {
      // What is not understood is refused: a value stored without its ttl would be kept for ever.
      if (name !== "key64") throw new KvError("query_invalid", `?${name}= is not supported for a key.`);
    }
    const key64 = query.get("key64");
    return key64 === null ? decode(this.#segment(5)) : decode64(key64);
  }

  #segment(index: number): string {
    this.#segments ??= this.path.split("/");
    return this.#segments[index] ?? "";
  }
}

function decode(text: string): string | undefined {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
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
