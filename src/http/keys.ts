/** Handlers for one key: put, get, head, delete, get-and-delete, increment. */

import { readText, readValue } from "../directory/body.ts";
import type { Read, StoredValue } from "../directory/stored-value.ts";
import type { ByteRange } from "../directory/transfer.ts";
import type { EntryInfo, Properties } from "../model/entry.ts";
import { failure, KvError } from "../model/errors.ts";
import { onceFor } from "../model/idempotency.ts";
import { KeptJson } from "../model/kept-json.ts";
import { expiry } from "../model/lifetime.ts";
import { contentType, metadataJson } from "../model/validators.ts";
import { BYTES_TYPE, TEXT_TYPE } from "../model/value.ts";
import { checkJson, checkQuery } from "../schema/check.ts";
import { parseExactly } from "../schema/exact-json.ts";
import { IncrementJson, incrementOf, lifetimeOf } from "../schema/operations.ts";
import { KeyQuery, PutQuery } from "../schema/requests.ts";
import type { Context } from "./context.ts";
import { headerConditions, etagHeader } from "./etags.ts";
import { idempotencyKeyOf, replayHeader } from "./idempotency.ts";
import { jsonText } from "./json-text.ts";
import { problem } from "./problem.ts";
import { byteRangeOf } from "./ranges.ts";
import { respond } from "./respond-async.ts";
import { CACHE_CONTROL, STORED_HEADERS } from "./stored-headers.ts";
import type { Target } from "./target.ts";

/** `PUT …/keys/{k}?ttl&expires&metadata`: stores the body. 201 if the key was created, 204 if its value was replaced. */
export async function putKey(request: Request, context: Context): Promise<Response> {
  const { target, bucket } = context;
  const { key } = target;
  const given = request.headers.get("Content-Type");
  const type = given === null || given === "" ? BYTES_TYPE : contentType(given);
  const conditions = headerConditions(request.headers);
  const options = { type, conditions, ...(target.hasQuery ? putQuery(target) : {}) };
  const value = await bucket.upload(await readValue(request));
  return respond(request, context, async () => {
    const { created, etag, revision } = await bucket.put(key, value, options);
    const headers = { ETag: etagHeader(etag), "KV-Revision": String(revision) };
    return new Response(null, { status: created ? 201 : 204, headers });
  });
}

/** `GET …/keys/{k}`: the stored bytes, or a range of them. */
export async function getKey(request: Request, { target, bucket }: Context): Promise<Response> {
  const key = keyOf(target);
  const found = await bucket.get(key, headerConditions(request.headers));
  if (found.outcome !== "found") return notServed(found, key);
  const { entry, etag, value } = found;
  const headers = entryHeaders(entry, etag);
  const range = byteRangeOf(request.headers, value.size, headers["ETag"] ?? "");
  return range === undefined ? new Response(value.body(), { headers }) : part(value, range, headers);
}

/** `HEAD …/keys/{k}`: the headers of a GET. The value does not leave the bucket. */
export async function headKey(request: Request, { target, bucket }: Context): Promise<Response> {
  const key = keyOf(target);
  const found = await bucket.info(key, headerConditions(request.headers));
  if (found.outcome !== "found") return notServed(found, key);
  const { entry, etag } = found;
  return new Response(null, {
    headers: { ...entryHeaders(entry, etag), "Content-Length": String(entry.size) },
  });
}

/** `DELETE …/keys/{k}`: deletes a key. 204 also if the key does not exist. */
export async function deleteKey(request: Request, context: Context): Promise<Response> {
  const { target, bucket } = context;
  const key = keyOf(target);
  const conditions = headerConditions(request.headers);
  return respond(request, context, async () => {
    await bucket.delete(key, conditions);
    return new Response(null, { status: 204 });
  });
}

/** `POST …/keys/{k}/get-and-delete`: the stored bytes, which are deleted. */
export async function getAndDeleteKey(request: Request, { target, bucket }: Context): Promise<Response> {
  const key = keyOf(target);
  const found = await bucket.getAndDelete(key, headerConditions(request.headers));
  if (found.outcome !== "found") return notServed(found, key);
  // No ranges: the rest could not be asked for.
  const { "Accept-Ranges": _, ...headers } = entryHeaders(found.entry, found.etag);
  return new Response(found.value.body(), { headers });
}

/** `POST …/keys/{k}/increment` `{by, initial, ttl}`: adds to a counter, atomically. */
export async function incrementKey(request: Request, context: Context): Promise<Response> {
  const { target, bucket } = context;
  const key = keyOf(target);
  const conditions = headerConditions(request.headers);
  const body = await readText(request);
  const json = body.byteLength === 0 ? {} : await checkJson(IncrementJson, body);
  const increment = incrementOf(json);
  const idempotency = await onceFor(idempotencyKeyOf(request), ["increment", key, increment, conditions]);
  return respond(request, context, async () => {
    const { result, replayed } = await bucket.increment(key, increment, { conditions, idempotency });
    return jsonText(result, replayHeader(replayed));
  });
}

/** The key of a request whose query may only have `key64`. */
export function keyOf(target: Target): string {
  if (target.hasQuery) checkQuery(KeyQuery, target.query);
  return target.key;
}

function putQuery(target: Target): Pick<Properties, "lifetime" | "metadata"> {
  const { metadata, ...given } = checkQuery(PutQuery, target.query);
  const lifetime = lifetimeOf(given, "query_invalid");
  // The bucket checks this again with its own clock. Check it here too, because `respond-async` reports no later error.
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
    const why = error instanceof KvError ? error.message : "Send JSON, percent-encoded.";
    throw new KvError("query_invalid", `?metadata=: ${why}`);
  }
}

function part(
  value: StoredValue,
  range: ByteRange | "unsatisfiable",
  headers: Record<string, string>,
): Response {
  const { size } = value;
  if (range === "unsatisfiable") {
    const why = failure("range_not_satisfiable", `The value has ${size} bytes, none of them in this range.`);
    return problem(why, { "Content-Range": `bytes */${size}` });
  }
  return new Response(value.body(range), {
    status: 206,
    headers: { ...headers, "Content-Range": `bytes ${range.first}-${range.last}/${size}` },
  });
}

function notServed(found: Exclude<Read, { readonly outcome: "found" }>, key: string): Response {
  if (found.outcome === "absent") {
    throw new KvError("key_not_found", `The bucket has no key ${JSON.stringify(key)}.`);
  }
  const headers = { ETag: etagHeader(found.etag), "Cache-Control": CACHE_CONTROL };
  return new Response(null, { status: 304, headers });
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

/** JSON for a header: characters outside ASCII are escaped. */
function asciiJson(json: string): string {
  return json.replaceAll(
    /[\x7f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
