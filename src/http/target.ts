/** The target of a request: its URL, parsed once. */

import { KvError } from "../model/errors.ts";
import { bucketName, key } from "../model/validators.ts";
import { decode64 } from "../lib/utf8.ts";

const PARTS = /^[a-z]+:\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?/i;
const NO_QUERY = new URLSearchParams();

/** Percent-encoded characters that need no percent-encoding (RFC 3986 §2.3). */
const NEEDLESS = /%(?:2[DEde]|3[0-9]|4[1-9A-Fa-f]|5[0-9AFaf]|6[1-9A-Fa-f]|7[0-9AEae])/g;

/**
 * The parts of a URL. The path is normalized once (RFC 3986 §6.2.2.2), and all code uses that form, also the router: if
 * one part of the code matched another spelling, a request could reach the wrong bucket. A segment is decoded once, where
 * it is needed. Decoding twice would turn the key `%41` into `A`.
 */
export class Target {
  /** Host name and port, as in the Host header. */
  readonly host: string;
  /** The normalized path: needless percent-encoding is decoded, so that equivalent paths are equal. */
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

  /** The query. @throws {KvError} `query_invalid` if it is not UTF-8, which URLSearchParams would silently replace */
  get query(): URLSearchParams {
    if (this.#query === undefined) return NO_QUERY;
    if (decode(this.#query) !== undefined) return new URLSearchParams(this.#query);
    throw new KvError("query_invalid", "The query is not percent-encoded UTF-8.");
  }

  /** Whether the key is in the query. False if the query is not UTF-8: then {@link query} throws. */
  get hasKey64(): boolean {
    const query = this.#query;
    return query !== undefined && decode(query) !== undefined && this.query.has("key64");
  }

  /** Whether the path is that of one key: `/v1/buckets/{bucket}/keys/{key}`. */
  get isKey(): boolean {
    const [, version, buckets, bucket, keys, last, ...more] = this.#split;
    const isOfKeys = keys === "keys" && buckets === "buckets" && version === "v1";
    return isOfKeys && bucket !== "" && last !== undefined && last !== "" && more.length === 0;
  }

  /**
   * The bucket's name: the segment after `/v1/buckets/`.
   * @throws {KvError} `bucket_name_invalid`
   */
  get bucket(): string {
    const name = decode(this.#segment(3));
    if (name === undefined)
      throw new KvError("bucket_name_invalid", "The name is not percent-encoded UTF-8.");
    return bucketName(name);
  }

  /**
   * The key: the segment after `/keys/`, percent-encoded once; or `?key64=` in base64url, for keys that a path can't
   * carry.
   * @throws {KvError} `key_invalid`, `key_too_long`
   */
  get key(): string {
    const key64 = this.hasQuery ? this.query.get("key64") : null;
    const text = key64 === null ? decode(this.#segment(5)) : decode64(key64);
    if (text === undefined) {
      throw new KvError(
        "key_invalid",
        "A key must be UTF-8: percent-encoded in the path, or base64url in ?key64=.",
      );
    }
    return key(text);
  }

  get #split(): readonly string[] {
    return (this.#segments ??= this.path.split("/"));
  }

  #segment(index: number): string {
    return this.#split[index] ?? "";
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
