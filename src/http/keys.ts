/** The key calls: put, get, delete. */

import type { Entry, EntryInfo, Properties } from "../model/entry.ts";
import type { LargeValue } from "../store/large-values.ts";
import { expiry } from "../model/lifetime.ts";
import { preconditionFailed } from "../store/executor.ts";
import { Transfer, type ByteRange } from "../directory/transfer.ts";
import { failure, KvError } from "../model/errors.ts";
import { CHUNK_BYTES, contentType, metadataJson } from "../model/limits.ts";
import { READ } from "../directory/directory.ts";
import { BYTES_TYPE, bytesOf, TEXT_TYPE } from "../model/value.ts";
import { checkQuery } from "../schema/check.ts";
import { KeptJson } from "../model/kept-json.ts";
import { parseExactly } from "../schema/exact-json.ts";
import { lifetimeOf } from "../schema/operations.ts";
import { KeyQuery, PutQuery } from "../schema/requests.ts";
import { announcedLength, bodyOf, refuseTooLarge, wholeBody } from "./body.ts";
import { perform } from "./respond-async.ts";
import { conditionsOf, etagHeader } from "./etags.ts";
import type { Context } from "./context.ts";
import { problem } from "./problem.ts";
import { rangeOf } from "./ranges.ts";
import { CACHE_CONTROL, STORED_HEADERS } from "./stored-headers.ts";
import type { Target } from "./target.ts";

/** `PUT …/keys/{k}?ttl&expires&metadata`: stores the body. 201 if the key is new, 204 if it was there. */
export async function putKey(request: Request, context: Context): Promise<Response> {
  const { directory, target, keepAlive } = context;
  const name = target.bucket;
  const { key } = target;
  const given = request.headers.get("Content-Type");
  const type = given === null || given === "" ? BYTES_TYPE : contentType(given);
  const conditions = conditionsOf(request.headers);
  const options = { type, conditions, ...(target.hasQuery ? putQuery(target) : {}) };
  const transfer = new Transfer(directory.named(name), keepAlive);
  const value = await takeBody(request, transfer);
  if (value === undefined) throw bucketNotFound(name);
  return perform(request, context, async () => {
    const written = await transfer.store(value, (bucket) => bucket.put(key, value, options));
    if (written?.outcome === "stored") {
      const headers = { ETag: etagHeader(written.etag), "KV-Revision": String(written.revision) };
      return new Response(null, { status: written.created ? 201 : 204, headers });
    }
    throw written === undefined ? bucketNotFound(name) : preconditionFailed();
  });
}

/** `GET …/keys/{k}`: the bytes that were stored, or a range of them. */
export async function getKey(request: Request, { directory, target, keepAlive }: Context): Promise<Response> {
  const name = target.bucket;
  const key = keyOf(target);
  const conditions = conditionsOf(request.headers);
  // A large value's chunks are asked of the bucket that has told of it.
  const ask = directory.whereis(name);
  const found = await ask((bucket) => bucket.get(key, conditions), READ);
  if (found === undefined) throw bucketNotFound(name);
  if (found.outcome !== "found") return notServed(found, key);
  const { entry, etag } = found;
  const { large, size, value } = entry;
  const headers = entryHeaders(entry, etag);
  const range = rangeOf(request.headers, size, headers["ETag"] ?? "");
  if (range === undefined && large === null) return new Response(value, { headers });
  const transfer = new Transfer(ask, keepAlive);
  if (range !== undefined) return part(entry, range, transfer, headers);
  return new Response(large === null ? value : transfer.read({ large, size }), { headers });
}

/** `HEAD …/keys/{k}`: what a GET would say, without the bytes leaving the bucket. */
export async function headKey(request: Request, { directory, target }: Context): Promise<Response> {
  const name = target.bucket;
  const key = keyOf(target);
  const conditions = conditionsOf(request.headers);
  const found = await directory.call(name, (bucket) => bucket.info(key, conditions), READ);
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
export async function deleteKey(request: Request, context: Context): Promise<Response> {
  const { directory, target } = context;
  const name = target.bucket;
  const key = keyOf(target);
  const conditions = conditionsOf(request.headers);
  return perform(request, context, async () => {
    const removed = await directory.call(name, (bucket) => bucket.remove(key, conditions));
    if (removed === undefined) throw bucketNotFound(name);
    if (removed.outcome === "precondition_failed") throw preconditionFailed();
    return new Response(null, { status: 204 });
  });
}

export function bucketNotFound(name: string): KvError {
  return new KvError("bucket_not_found", `There is no bucket ${name}. Create it: PUT /v1/buckets/${name}`);
}

/** The key of a request that has no other query than `key64`. */
export function keyOf(target: Target): string {
  if (target.hasQuery) checkQuery(KeyQuery, target.query);
  return target.key;
}

function putQuery(target: Target): Pick<Properties, "lifetime" | "metadata"> {
  const { metadata, ...given } = checkQuery(PutQuery, target.query);
  const lifetime = lifetimeOf(given, "query_invalid");
  // The bucket's own clock decides; but a cast hears nothing of that.
  expiry(lifetime, Date.now());
  return {
    lifetime,
    metadata: metadata === undefined ? null : parsedMetadata(metadata),
  };
}

function parsedMetadata(text: string): string {
  try {
    parseExactly(text);
    return metadataJson(new KeptJson(text));
  } catch (error) {
    if (error instanceof KvError && error.code !== "body_invalid") throw error;
    const why = error instanceof KvError ? error.message : "It is JSON, percent-encoded.";
    throw new KvError("query_invalid", `?metadata=: ${why}`);
  }
}

async function takeBody(request: Request, transfer: Transfer): Promise<ArrayBuffer | LargeValue | undefined> {
  const announced = announcedLength(request);
  // Read whole before anything is sent on, so that a broken upload changes nothing and the request can go to
  // another bucket than the one that it was first sent to.
  if (announced === undefined || announced > CHUNK_BYTES) {
    refuseTooLarge(announced);
    return transfer.take(bodyOf(request));
  }
  const bytes = await wholeBody(request);
  // Another Worker may have announced less than it sends: there nothing else holds it to that.
  return bytes.byteLength <= CHUNK_BYTES ? bytes : transfer.take([new Uint8Array(bytes)]);
}

function part(
  { value, large, size }: Entry,
  range: ByteRange | "unsatisfiable",
  transfer: Transfer,
  headers: Record<string, string>,
): Response {
  if (range === "unsatisfiable") {
    const why = failure("range_not_satisfiable", `The value has ${size} bytes, and none in this range.`);
    return problem(why, { "Content-Range": `bytes */${size}` });
  }
  const { first, last } = range;
  const body = large === null ? bytesOf(value).slice(first, last + 1) : transfer.read({ large, size }, range);
  return new Response(body, {
    status: 206,
    headers: { ...headers, "Content-Range": `bytes ${first}-${last}/${size}` },
  });
}

function notServed(
  found:
    | { readonly outcome: "not_modified"; readonly etag: string }
    | { readonly outcome: "precondition_failed" | "absent" },
  key: string,
): Response {
  if (found.outcome === "not_modified") {
    const headers = { ETag: etagHeader(found.etag), "Cache-Control": CACHE_CONTROL };
    return new Response(null, { status: 304, headers });
  }
  if (found.outcome === "precondition_failed") throw preconditionFailed();
  throw new KvError("key_not_found", `The bucket has no key ${JSON.stringify(key)}.`);
}

function entryHeaders(entry: EntryInfo, tag: string): Record<string, string> {
  const headers: Record<string, string> = {
    "Content-Type": entry.type ?? TEXT_TYPE,
    ETag: etagHeader(tag),
    "Accept-Ranges": "bytes",
    "KV-Revision": String(entry.revision),
    ...STORED_HEADERS,
  };
  if (entry.expires !== null) headers["KV-Expires"] = new Date(entry.expires).toISOString();
  if (entry.metadata !== null) headers["KV-Metadata"] = asciiJson(entry.metadata);
  return headers;
}

/** JSON that a header can carry: what is not ASCII is escaped. */
function asciiJson(json: string): string {
  return json.replaceAll(
    /[\x7f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
