/** Where things are: what a URL's path can carry, and what it can't. */

import { toBase64Url } from "./base64.ts";
import { refused } from "./options.ts";
import { shown } from "./shown.ts";

/** A bucket's path. @throws {InvalidRequestError} for what would lead to another one */
export function bucketPath(name: string): string {
  // Whoever writes JavaScript may give anything, here and below.
  if (typeof name === "string" && name !== "" && name !== "." && name !== ".." && name.isWellFormed()) {
    return `/v1/buckets/${encodeURIComponent(name)}`;
  }
  const why = `A bucket's name has to be well-formed text other than "", "." and "..", and not ${shown(name)}.`;
  throw refused("bucket_name_invalid", why);
}

/** @returns `key`, if it is text that can be sent @throws {InvalidRequestError} `key_invalid` */
export function checkedKey(key: string): string {
  if (typeof key === "string" && key.isWellFormed()) return key;
  throw refused("key_invalid", `A key has to be well-formed text, and not ${shown(key)}.`);
}

/** A key's place behind its bucket's path: in the path, or, if that can't carry it, in the query. */
export function keyPlace(key: string): {
  readonly path: string;
  readonly query: { readonly key64?: string };
} {
  checkedKey(key);
  if (key !== "" && key !== "." && key !== "..")
    return { path: `/keys/${encodeURIComponent(key)}`, query: {} };
  return { path: "/keys/-", query: { key64: toBase64Url(key) } };
}
