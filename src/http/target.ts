/** What a request's URL says, taken apart once. */

import { KvError } from "../model/errors.ts";
import { bucketName, key } from "../model/validators.ts";
import { decode64 } from "../lib/utf8.ts";

const PARTS = /^[a-z]+:\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?/i;
const NO_QUERY = new URLSearchParams();

/** What needs no percent-encoding (RFC 3986 §2.3), percent-encoded. */
const NEEDLESS = /%(?:2[DEde]|3[0-9]|4[1-9A-Fa-f]|5[0-9AFaf]|6[1-9A-Fa-f]|7[0-9AEae])/g;

/**
 * The parts of a URL. Its path is normalized once (RFC 3986 §6.2.2.2), and all that looks at it, the router too, looks at
 * that: to slice one spelling by what was matched in another would be another bucket. A segment is decoded by those who
 * need it, once: the key `%41` is not `A`.
 */
export class Target {
  /** Name and port, as in the Host header. */
  readonly host: string;
  /** With what need not be percent-encoded decoded: paths that mean the same are the same. */
  readonly path: string;
  readonly #query: string | undefined;
  #segments: readonly string[] | undefined;

  constructor(url: string) {
    const parts = PARTS.exec(url);
    this.host = parts?.[1] ?? "";
    this.path = normalized(parts?.[2] ?? "");
    this.#query = parts?.[3];
  }

  get hasQuery(): boolean {
    return this.#query !== undefined && this.#query !== "";
  }

  /** @throws {KvError} `query_invalid`: what is no UTF-8 would be read as something else */
  get query(): URLSearchParams {
    if (this.#query === undefined) return NO_QUERY;
    if (decode(this.#query) !== undefined) return new URLSearchParams(this.#query);
    throw new KvError("query_invalid", "The query is not percent-encoded UTF-8.");
  }

  /** Whether the key stands in the query. One that is no UTF-8 has none: it is refused by what reads it. */
  get hasKey64(): boolean {
    const query = this.#query;
    return query !== undefined && decode(query) !== undefined && this.query.has("key64");
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
   * @throws {KvError} `key_invalid`, `key_too_long`
   */
  get key(): string {
    const key64 = this.hasQuery ? this.query.get("key64") : null;
    const text = key64 === null ? decode(this.#segment(5)) : decode64(key64);
    if (text === undefined) {
      throw new KvError(
        "key_invalid",
        "A key is UTF-8: percent-encoded in the path, or base64url in ?key64=.",
      );
    }
    return key(text);
  }

  #segment(index: number): string {
    this.#segments ??= this.path.split("/");
    return this.#segments[index] ?? "";
  }
}

function normalized(path: string): string {
  if (!path.includes("%")) return path;
  return path.replaceAll(NEEDLESS, (encoded) => String.fromCharCode(Number.parseInt(encoded.slice(1), 16)));
}

function decode(text: string): string | undefined {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
