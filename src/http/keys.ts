/** The key calls: put, get, delete. */

import type { EntryInfo } from "../bucket/entries.ts";
import { KvError } from "../errors.ts";
import { contentType } from "../limits.ts";
import { BYTES_TYPE, TEXT_TYPE } from "../value.ts";
import { readValue } from "./body.ts";
import { conditionsOf, etagHeader } from "./etags.ts";
import type { Context } from "./context.ts";

/** `PUT …/keys/{k}`: stores the body. 201 if the key is new, 204 if it was there. */
export async function putKey(request: Request, { directory, target }: Context): Promise<Response> {
  const name = target.bucket;
  const { key } = target;
  const type = request.headers.get("Content-Type");
  const checkedType = type === null || type === "" ? BYTES_TYPE : contentType(type);
  const conditions = conditionsOf(request.headers);
  const body = await readValue(request);
  const written = await directory.call(name, (bucket) =>
    bucket.put(key, body, { type: checkedType, conditions }),
  );
  if (written === undefined) throw bucketNotFound(name);
  if (written.outcome === "precondition_failed") throw preconditionFailed();
  const headers = { ETag: etagHeader(written.etag), "KV-Revision": String(written.revision) };
  return new Response(null, { status: written.created ? 201 : 204, headers });
}

/** `GET …/keys/{k}`: the bytes that were stored. */
export async function getKey(request: Request, { directory, target }: Context): Promise<Response> {
  const name = target.bucket;
  const { key } = target;
  const conditions = conditionsOf(request.headers);
  const found = await directory.call(name, (bucket) => bucket.get(key, conditions));
  if (found === undefined) throw bucketNotFound(name);
  if (found.outcome !== "found") return notServed(found, key);
  return new Response(found.entry.value, { headers: entryHeaders(found.entry, found.etag) });
}

/** `HEAD …/keys/{k}`: what a GET would say, without the bytes leaving the bucket. */
export async function headKey(request: Request, { directory, target }: Context): Promise<Response> {
  const name = target.bucket;
  const { key } = target;
  const conditions = conditionsOf(request.headers);
  const found = await directory.call(name, (bucket) => bucket.info(key, conditions));
  if (found === undefined) throw bucketNotFound(name);
  if (found.outcome !== "found") return notServed(found, key);
  return new Response(null, {
    headers: {
      ...entryHeaders(found.entry, found.etag),
      "Content-Length": String(found.entry.size),
    },
  });
}

/** `DELETE …/keys/{k}`: 204, also when the key is not there. */
export async function deleteKey(request: Request, { directory, target }: Context): Promise<Response> {
  const name = target.bucket;
  const { key } = target;
  const conditions = conditionsOf(request.headers);
  const removed = await directory.call(name, (bucket) => bucket.remove(key, conditions));
  if (removed === undefined) throw bucketNotFound(name);
  if (removed.outcome === "precondition_failed") throw preconditionFailed();
  return new Response(null, { status: 204 });
}

export function bucketNotFound(name: string): KvError {
  return new KvError("bucket_not_found", `There is no bucket ${name}. Create it: PUT /v1/buckets/${name}`);
}

function notServed(
  found:
    | { readonly outcome: "not_modified"; readonly etag: string }
    | { readonly outcome: "precondition_failed" | "absent" },
  key: string,
): Response {
  if (found.outcome === "not_modified") {
    return new Response(null, { status: 304, headers: { ETag: etagHeader(found.etag) } });
  }
  if (found.outcome === "precondition_failed") throw preconditionFailed();
  throw new KvError("key_not_found", `The bucket has no key ${JSON.stringify(key)}.`);
}

function preconditionFailed(): KvError {
  return new KvError("precondition_failed", "If-Match or If-None-Match did not hold. Nothing was changed.");
}

/**
 * A value is somebody's bytes on our origin: without the last two headers a browser would run a stored page
 * or script with our origin's rights.
 */
function entryHeaders(entry: EntryInfo, tag: string): Record<string, string> {
  return {
    "Content-Type": entry.type ?? TEXT_TYPE,
    ETag: etagHeader(tag),
    "KV-Revision": String(entry.revision),
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
  };
}
