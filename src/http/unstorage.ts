/**
 * `/unstorage/{bucket}/{segment}/{segment}…`: what unstorage's own `http` driver asks for. A key's segments stand
 * between colons there, and between slashes in the path, or colons; a path that ends in one of the two stands for all
 * keys below it (1.17 asks for `base/:`, 2.0 for `base:`).
 */

import { announcedLength, readValue, refusePartial, refuseTooLarge } from "../directory/body.ts";
import { orNoBucket, type BucketHandle } from "../directory/bucket-handle.ts";
import { streamed } from "../lib/streamed.ts";
import { isUnmodified, type Conditions } from "../model/conditions.ts";
import { KvError, preconditionFailed } from "../model/errors.ts";
import { MAX_TTL_SECONDS } from "../model/limits.ts";
import { bucketName, key as checkedKey } from "../model/validators.ts";
import { BYTES_TYPE, TEXT_TYPE } from "../model/value.ts";
import type { EntriesPage } from "../rpc/bucket-rpc.ts";
import { isChange } from "./api/endpoint.ts";
import type { Context } from "./context.ts";
import { isNotModified, unmodifiedSince } from "./dates.ts";
import { conditionsOf } from "./etags.ts";
import { methodNotAllowed } from "./problem.ts";
import { STORED_HEADERS } from "./stored-headers.ts";
import { refuseUnheeded } from "./unheeded.ts";

const encoder = new TextEncoder();

const HEADERS = { ...STORED_HEADERS, Vary: "Accept" };

/** Reading makes nothing; the first item that is set makes the bucket. */
export async function serveUnstorage(request: Request, context: Context): Promise<Response> {
  const { bucket: name, key, all } = address(context.target.path);
  const bucket = context.bucketOf(name);
  const { method } = request;
  if (context.target.hasQuery) throw new KvError("query_invalid", "Nothing here takes a query.");
  if (isChange(method)) refuseUnheeded(request.headers, all ? [] : ["If-Unmodified-Since"]);
  if (all && (method === "GET" || method === "HEAD")) return listKeys(method, context, bucket, key);
  if (all && method === "DELETE") return clear(bucket, key);
  if (!all && (method === "GET" || method === "HEAD")) return getItem(request, bucket, checkedKey(key));
  if (!all && method === "PUT") return setItem(request, bucket, checkedKey(key));
  if (!all && method === "DELETE") return removeItem(request, bucket, checkedKey(key));
  return methodNotAllowed(method, all ? "GET, HEAD, DELETE" : "GET, HEAD, PUT, DELETE");
}

/** `all`: the key is the beginning of those that are meant, empty or with its colon. */
function address(path: string): { readonly bucket: string; readonly key: string; readonly all: boolean } {
  const [, , bucket = "", ...rest] = path.split("/");
  const text = rest.map(decoded).join(":");
  // As unstorage itself reads a key: no segment is empty.
  const segments = text.split(":").filter((segment) => segment !== "");
  if (segments.some((segment) => segment === "." || segment === "..")) {
    throw new KvError("key_invalid", "No segment of a key is . or .. here: unstorage refuses them too.");
  }
  const key = segments.join(":");
  const all = text.endsWith(":") || (rest.length > 0 && text === "");
  return { bucket: bucketName(decoded(bucket)), key: all && key !== "" ? `${key}:` : key, all };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new KvError("key_invalid", "A key's segments are percent-encoded UTF-8.");
  }
}

async function getItem(request: Request, bucket: BucketHandle, key: string): Promise<Response> {
  const since = unmodifiedSince(request.headers, Date.now());
  const found = await orNoBucket(bucket.get(key, conditionsOf(request.headers)));
  if (found?.outcome === "not_modified") return new Response(null, { status: 304, headers: HEADERS });
  if (found?.outcome !== "found")
    throw new KvError("key_not_found", `There is no item ${JSON.stringify(key)}.`);
  const { entry, value } = found;
  const { at, expires } = entry;
  if (since !== undefined && !isUnmodified(at, since)) throw preconditionFailed();
  if (isNotModified(request.headers, at, Date.now()))
    return new Response(null, { status: 304, headers: HEADERS });
  const raw = request.headers.get("Accept")?.includes(BYTES_TYPE) === true;
  const headers: Record<string, string> = {
    ...HEADERS,
    // The driver reads text as text, and unstorage finds out what it is.
    "Content-Type": raw ? BYTES_TYPE : TEXT_TYPE,
    ...(at === 0 ? {} : { "Last-Modified": new Date(at).toUTCString() }),
    ...(expires === null ? {} : { "X-TTL": String(Math.max(0, Math.ceil((expires - Date.now()) / 1_000))) }),
  };
  if (request.method === "HEAD") {
    return new Response(null, { headers: { ...headers, "Content-Length": String(value.size) } });
  }
  return new Response(value.body(), { headers });
}

async function setItem(request: Request, bucket: BucketHandle, key: string): Promise<Response> {
  refusePartial(request.headers);
  refuseTooLarge(announcedLength(request));
  const raw = request.headers.get("Content-Type")?.includes(BYTES_TYPE) === true;
  const ttl = ttlOf(request.headers.get("X-TTL"));
  const conditions = dateCondition(request.headers);
  const options = {
    type: raw ? BYTES_TYPE : null,
    conditions,
    ...(ttl === undefined ? {} : { lifetime: { ttl } }),
  };
  // A large value is sent on before it is read to its end: by then there has to be a bucket. An item that has to be there
  // already creates none.
  const conditional = conditions.unmodifiedSince !== undefined;
  if (!conditional) await bucket.create();
  const value = await readValue(request);
  if ((await orNoBucket(bucket.put(key, value, options))) === undefined) {
    throw conditional ? preconditionFailed() : hasEnded(bucket.name);
  }
  return new Response("OK", { headers: { ...HEADERS, "Content-Type": TEXT_TYPE } });
}

async function removeItem({ headers }: Request, bucket: BucketHandle, key: string): Promise<Response> {
  await orNoBucket(bucket.delete(key, dateCondition(headers)));
  return new Response(null, { status: 204 });
}

async function clear(bucket: BucketHandle, prefix: string): Promise<Response> {
  await orNoBucket(bucket.deleteRange({ prefix }));
  return new Response(null, { status: 204 });
}

/** A JSON array, written page by page: there may be more keys than fit in memory. */
async function listKeys(
  method: "GET" | "HEAD",
  { keepAlive }: Context,
  bucket: BucketHandle,
  prefix: string,
): Promise<Response> {
  const pages = bucket.pages({ prefix });
  const first = await orNoBucket(pages.next());
  return new Response(method === "HEAD" ? null : streamed(array(), keepAlive), {
    headers: { ...HEADERS, "Content-Type": "application/json" },
  });

  async function* array(): AsyncGenerator<Uint8Array, void, void> {
    let separator = "[";
    for (let next = first; next !== undefined && next.done !== true; next = await nextOf(pages)) {
      const texts = next.value.entries.map(({ key }) => JSON.stringify(key)).join(",");
      if (texts !== "") {
        yield encoder.encode(separator + texts);
        separator = ",";
      }
    }
    yield encoder.encode(separator === "[" ? "[]" : "]");
  }

  /** If the bucket has ended meanwhile the list breaks off: half a list would look like a whole one. */
  async function nextOf(
    rest: AsyncGenerator<EntriesPage, void, void>,
  ): Promise<IteratorResult<EntriesPage, void>> {
    const next = await orNoBucket(rest.next());
    if (next === undefined) throw hasEnded(bucket.name);
    return next;
  }
}

function hasEnded(name: string): KvError {
  return new KvError("bucket_not_found", `The bucket ${name} has just ended.`);
}

/** What these answers have of conditions is `Last-Modified`. */
function dateCondition(headers: Headers): Conditions {
  return { unmodifiedSince: unmodifiedSince(headers, Date.now()) };
}

function ttlOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ttl = /^\d+(?:\.\d+)?$/.test(header) ? Number(header) : 0;
  if (ttl > 0 && ttl <= MAX_TTL_SECONDS) return ttl;
  throw new KvError(
    "header_invalid",
    `X-TTL is a number of seconds in decimal digits, more than 0 and at most ${MAX_TTL_SECONDS}.`,
  );
}
