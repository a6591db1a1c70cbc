/**
 * `/unstorage/{bucket}/{segment}/{segment}…`: what unstorage's own `http` driver asks for. A key's segments stand
 * between colons there, and between slashes in the path, or colons; a path that ends in one of the two stands for all
 * keys below it (1.17 asks for `base/:`, 2.0 for `base:`).
 */

import { isUnmodified, type Conditions } from "../model/conditions.ts";
import type { LargeValue } from "../store/large-values.ts";
import { preconditionFailed } from "../store/executor.ts";
import { removeAll } from "../directory/delete-range.ts";
import { Transfer } from "../directory/transfer.ts";
import { KvError } from "../model/errors.ts";
import type { KeysPage } from "../schema/entry-json.ts";
import { behindKey } from "../model/cursor.ts";
import { READ } from "../directory/directory.ts";
import { streamed } from "../lib/streamed.ts";
import { bucketName, key as checkedKey, MAX_PAGE, MAX_TTL_SECONDS } from "../model/limits.ts";
import { BYTES_TYPE, TEXT_TYPE } from "../model/value.ts";
import { isChange } from "./api/endpoint.ts";
import { announcedLength, bodyOf, refusePartial, refuseTooLarge } from "./body.ts";
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
  const { bucket, key, all } = address(context.target.path);
  const { method } = request;
  if (context.target.hasQuery) throw new KvError("query_invalid", "Nothing here takes a query.");
  if (isChange(method)) refuseUnheeded(request.headers, all ? [] : ["If-Unmodified-Since"]);
  if (all && (method === "GET" || method === "HEAD")) return listKeys(method, context, bucket, key);
  if (all && method === "DELETE") return clear(context, bucket, key);
  if (!all && (method === "GET" || method === "HEAD"))
    return getItem(request, context, bucket, checkedKey(key));
  if (!all && method === "PUT") return setItem(request, context, bucket, checkedKey(key));
  if (!all && method === "DELETE") return removeItem(request, context, bucket, checkedKey(key));
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

async function getItem(
  request: Request,
  { directory, keepAlive }: Context,
  bucket: string,
  key: string,
): Promise<Response> {
  const ask = directory.whereis(bucket);
  const since = unmodifiedSince(request.headers, Date.now());
  const found = await ask((stub) => stub.get(key, conditionsOf(request.headers)), READ);
  if (found?.outcome === "not_modified") return new Response(null, { status: 304, headers: HEADERS });
  if (found?.outcome === "precondition_failed") throw preconditionFailed();
  if (found?.outcome !== "found")
    throw new KvError("key_not_found", `There is no item ${JSON.stringify(key)}.`);
  const { value, large, size, at, expires } = found.entry;
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
    return new Response(null, { headers: { ...headers, "Content-Length": String(size) } });
  }
  const transfer = new Transfer(ask, keepAlive);
  const body = large === null ? value : transfer.read({ large, size });
  return new Response(body, { headers });
}

async function setItem(
  request: Request,
  { directory, keepAlive }: Context,
  bucket: string,
  key: string,
): Promise<Response> {
  refusePartial(request.headers);
  refuseTooLarge(announcedLength(request));
  const raw = request.headers.get("Content-Type")?.includes(BYTES_TYPE) === true;
  const ttl = ttlOf(request.headers.get("X-TTL"));
  const options = {
    type: raw ? BYTES_TYPE : null,
    conditions: dateCondition(request.headers),
    ...(ttl === undefined ? {} : { lifetime: { ttl } }),
  };
  const transfer = new Transfer(directory.named(bucket), keepAlive);
  // A large value is sent on before it is read to its end: by then there has to be a bucket. What is to be there already
  // makes none.
  const conditional = options.conditions.unmodifiedSince !== undefined;
  if (!conditional) await directory.create(bucket);
  const value: ArrayBuffer | LargeValue | undefined = await transfer.take(bodyOf(request));
  const written = value && (await transfer.store(value, (stub) => stub.put(key, value, options)));
  if (written === undefined && conditional) throw preconditionFailed();
  if (written === undefined) throw new KvError("bucket_not_found", `The bucket ${bucket} has just ended.`);
  if (written.outcome === "precondition_failed") throw preconditionFailed();
  return new Response("OK", { headers: { ...HEADERS, "Content-Type": TEXT_TYPE } });
}

async function removeItem(
  { headers }: Request,
  { directory }: Context,
  bucket: string,
  key: string,
): Promise<Response> {
  const conditions = dateCondition(headers);
  const removed = await directory.call(bucket, (stub) => stub.remove(key, conditions));
  if (removed?.outcome === "precondition_failed") throw preconditionFailed();
  return new Response(null, { status: 204 });
}

async function clear({ directory }: Context, bucket: string, prefix: string): Promise<Response> {
  await removeAll(directory.whereis(bucket), { prefix });
  return new Response(null, { status: 204 });
}

/** A JSON array, written page by page: there may be more keys than fit in memory. */
async function listKeys(
  method: "GET" | "HEAD",
  { directory, keepAlive }: Context,
  bucket: string,
  prefix: string,
): Promise<Response> {
  const ask = directory.whereis(bucket);
  const read = async (after?: string): Promise<KeysPage | undefined> => {
    const page = await ask((stub) => stub.list({ prefix, after, limit: MAX_PAGE }), READ);
    return page === undefined ? undefined : (JSON.parse(page) as KeysPage);
  };
  const first = (await read()) ?? { keys: [] };
  return new Response(method === "HEAD" ? null : streamed(array(), keepAlive), {
    headers: { ...HEADERS, "Content-Type": "application/json" },
  });

  async function* array(): AsyncGenerator<Uint8Array, void, void> {
    let separator = "[";
    for (let page: KeysPage | undefined = first; ; page = await read(behindKey(page.cursor).after)) {
      // It has ended meanwhile: half a list would look like a whole one.
      if (page === undefined) throw new KvError("bucket_not_found", `The bucket ${bucket} has just ended.`);
      const texts = page.keys.map(({ key }) => JSON.stringify(key)).join(",");
      if (texts !== "") {
        yield encoder.encode(separator + texts);
        separator = ",";
      }
      if (page.cursor === undefined) break;
    }
    yield encoder.encode(separator === "[" ? "[]" : "]");
  }
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
