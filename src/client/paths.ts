/** URL paths of buckets and keys. */

import { toBase64Url } from "./base64.ts";
import { invalidRequest } from "./options.ts";
import { describeValue } from "./describe-value.ts";

/** A bucket's path. @throws {InvalidRequestError} `bucket_name_invalid` for a name that a URL would change */
export function bucketPath(name: string): string {
  // Callers in plain JavaScript may pass any type, here and below.
  if (typeof name === "string" && name !== "" && name !== "." && name !== ".." && name.isWellFormed()) {
    return `/v1/buckets/${encodeURIComponent(name)}`;
  }
  const why = `A bucket's name has to be well-formed text other than "", "." and "..", and not ${describeValue(name)}.`;
  throw invalidRequest("bucket_name_invalid", why);
}

/** @returns `key` if it is well-formed text @throws {InvalidRequestError} `key_invalid` */
export function checkedKey(key: string): string {
  if (typeof key === "string" && key.isWellFormed()) return key;
  throw invalidRequest("key_invalid", `A key has to be well-formed text, and not ${describeValue(key)}.`);
}

/** A key's part of the URL: in the path, or in the query for a key that a path can't carry (`""`, `.` and `..`). */
export function keyPlace(key: string): {
  readonly path: string;
  readonly query: { readonly key64?: string };
} {
  checkedKey(key);
  if (key !== "" && key !== "." && key !== "..")
    return { path: `/keys/${encodeURIComponent(key)}`, query: {} };
  return { path: "/keys/-", query: { key64: toBase64Url(key) } };
}
