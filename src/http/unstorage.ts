/**
 * `/unstorage/{bucket}/{segment}/{segment}…`: the server side of unstorage's own `http` driver. In unstorage the segments
 * of a key are separated by colons; in the path, by slashes or colons. A path that ends with a slash or colon means all
 * keys below it (unstorage 1.17 requests `base/:`, 2.0 requests `base:`).
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
import { headerConditions } from "./etags.ts";
import { methodNotAllowed } from "./problem.ts";
import { STORED_HEADERS } from "./stored-headers.ts";
import { refuseUnheeded } from "./unheeded.ts";

const encoder = new TextEncoder();

const HEADERS = { ...STORED_HEADERS, Vary: "Accept" };

/** Serves a request of the driver. Reads do not create the bucket; the first item that is set does. */
export async function serveUnstorage(request: Request, context: Context): Promise<Response> {
  const { bucket: name, key, all } = address(context.target.path);
  const bucket = context.bucketOf(name);
  const { method } = request;
  if (context.target.hasQuery) throw new KvError("query_invalid", "Paths below /unstorage take no query.");
  if (isChange(method)) refuseUnheeded(request.headers, all ? [] : ["If-Unmodified-Since"]);
  if (all && (method === "GET" || method === "HEAD")) return listKeys(method, context, bucket, key);
  if (all && method === "DELETE") return clear(bucket, key);
  if (!all && (method === "GET" || method === "HEAD")) return getItem(request, bucket, checkedKey(key));
  if (!all && method === "PUT") return setItem(request, bucket, checkedKey(key));
  if (!all && method === "DELETE") return removeItem(request, bucket, checkedKey(key));
  return methodNotAllowed(method, all ? "GET, HEAD, DELETE" : "GET, HEAD, PUT, DELETE");
}

/** Parses the path. With `all`, `key` is a prefix: empty, or with its colon at the end. */
function address(path: string): { readonly bucket: string; readonly key: string; readonly all: boolean } {
  const [, , bucket = "", ...rest] = path.split("/");
  const text = rest.map(decoded).join(":");
  // As in unstorage, empty segments are left out.
  const segments = text.split(":").filter((segment) => segment !== "");
  if (segments.some((segment) => segment === "." || segment === "..")) {
    throw new KvError("key_invalid", "A segment of a key can't be . or .. here. unstorage refuses them too.");
  }
  const key = segments.join(":");
  const all = text.endsWith(":") || (rest.length > 0 && text === "");
  return { bucket: bucketName(decoded(bucket)), key: all && key !== "" ? `${key}:` : key, all };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new KvError("key_invalid", "The segments of a key must be percent-encoded UTF-8.");
  }
}

async function getItem(request: Request, bucket: BucketHandle, key: string): Promise<Response> {
  const since = unmodifiedSince(request.headers, Date.now());
  const found = await orNoBucket(bucket.get(key, headerConditions(request.headers)));
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
    // The driver reads the body as text, and unstorage parses it.
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
  // Create the bucket first, because a large value is sent to it before it is read to its end. With a condition the item
  // must already exist, so no bucket is created.
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

/** A JSON array of keys, written page by page, because all keys may not fit in memory. */
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

  /** If the bucket has ended meanwhile, the response errors: half a list must not look complete. */
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

/** The condition of a change: the driver knows `Last-Modified`, and no entity tags. */
function dateCondition(headers: Headers): Conditions {
  return { unmodifiedSince: unmodifiedSince(headers, Date.now()) };
}

function ttlOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ttl = /^\d+(?:\.\d+)?$/.test(header) ? Number(header) : 0;
  if (ttl > 0 && ttl <= MAX_TTL_SECONDS) return ttl;
  throw new KvError(
    "header_invalid",
    `X-TTL must be a number of seconds in decimal digits, more than 0 and at most ${MAX_TTL_SECONDS}.`,
  );
}
