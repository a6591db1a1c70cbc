/** Where things are: what a URL's path can carry, and what it can't. */

import { toBase64Url } from "./base64.ts";
import { InvalidRequestError } from "./errors.ts";

/** A bucket's path. @throws {InvalidRequestError} for what would lead to another one */
export function bucketPath(name: string): string {
  if (name !== "" && name !== "." && name !== ".." && name.isWellFormed()) {
    return `/v1/buckets/${encodeURIComponent(name)}`;
  }
  throw new InvalidRequestError("bucket_name_invalid", `${JSON.stringify(name)} can't be a bucket's name.`, {
    status: 400,
  });
}

/** A key's place behind its bucket's path: in the path, or, if that can't carry it, in the query. */
export function keyPlace(key: string): {
  readonly path: string;
  readonly query: { readonly key64?: string };
} {
  if (!key.isWellFormed()) {
    throw new InvalidRequestError("key_invalid", "A key is well-formed text.", { status: 400 });
  }
  if (key !== "" && key !== "." && key !== "..")
    return { path: `/keys/${encodeURIComponent(key)}`, query: {} };
  return { path: "/keys/-", query: { key64: toBase64Url(key) } };
}
