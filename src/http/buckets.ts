/** The bucket calls: create, look up, stop, list. */

import { KvError } from "../errors.ts";
import { MAX_METADATA_BYTES, MAX_PAGE, byteLength } from "../limits.ts";
import type { Registration } from "../registry/names.ts";
import type { CreateOptions } from "../registry/registry.ts";
import { decodeUtf8 } from "../utf8.ts";
import { readText } from "./body.ts";
import type { Context } from "./context.ts";
import { bucketNotFound } from "./keys.ts";
import { decode64 } from "./target.ts";

const LOCATION_HINTS: readonly DurableObjectLocationHint[] = [
  "wnam",
  "enam",
  "sam",
  "weur",
  "eeur",
  "apac",
  "oc",
  "afr",
  "me",
];
const JURISDICTIONS: readonly DurableObjectJurisdiction[] = ["eu", "fedramp", "fedramp-high"];
const OPTION_NAMES = ["restart", "locationHint", "jurisdiction", "metadata"];

/** `PUT /v1/buckets/{b}`: ensures that there is a bucket. 201 if it is new, 200 if it was there. */
export async function createBucket(request: Request, { directory, target }: Context): Promise<Response> {
  const name = target.bucket;
  const options = await createOptions(request);
  const onlyNew = request.headers.get("If-None-Match")?.trim() === "*";
  if (onlyNew && (await directory.lookup(name)) !== undefined) throw alreadyThere(name);
  const { registration, created } = await directory.create(name, options);
  // Another create may have come in between: then the bucket is there, and was not made by this request.
  if (onlyNew && !created) throw alreadyThere(name);
  return Response.json(describe(registration), {
    status: created ? 201 : 200,
    headers: created ? { Location: target.path } : {},
  });
}

/** `GET` and `HEAD /v1/buckets/{b}`: what the registry and the bucket know of it. */
export async function lookUpBucket(_request: Request, { directory, target }: Context): Promise<Response> {
  const name = target.bucket;
  for (;;) {
    // The registry is asked, not the cache: a lookup is never answered from what was true before.
    const registration = await directory.lookup(name);
    const totals = registration && (await directory.call(name, (bucket) => bucket.totals()));
    if (registration === undefined || totals === undefined) throw bucketNotFound(name);
    // Between the two questions another bucket may have taken the name: then both are asked again.
    if (totals.incarnation === registration.incarnation) {
      return Response.json({ ...describe(registration), ...totals });
    }
  }
}

/** `DELETE /v1/buckets/{b}`: stop, reason normal; its data is gone and its name free. */
export async function stopBucket(_request: Request, { directory, target }: Context): Promise<Response> {
  const name = target.bucket;
  if (!(await directory.stop(name))) throw bucketNotFound(name);
  return new Response(null, { status: 204 });
}

/** `GET /v1/buckets?prefix&cursor&limit`: names in order, from the registry alone. */
export async function listBuckets(_request: Request, { directory, target }: Context): Promise<Response> {
  const { query } = target;
  const limit = limitOf(query.get("limit"));
  // One more than asked for tells whether there is a next page.
  const found = await directory.list({
    prefix: query.get("prefix") ?? "",
    after: nameOf(query.get("cursor")),
    limit: limit + 1,
  });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return Response.json({
    buckets: page.map(describe),
    ...(found.length > limit && last !== undefined ? { cursor: cursorOf(last.name) } : {}),
  });
}

function describe({
  name,
  id,
  incarnation,
  state,
  createdAt,
  metadata,
}: Registration): Record<string, unknown> {
  return {
    name,
    id,
    incarnation,
    status: state,
    restart: "permanent",
    createdAt: new Date(createdAt).toISOString(),
    ...(metadata === null ? {} : { metadata: JSON.parse(metadata) as unknown }),
  };
}

async function createOptions(request: Request): Promise<CreateOptions> {
  const bytes = await readText(request);
  if (bytes.byteLength === 0) return {};
  const body = parseObject(bytes);
  const unknown = Object.keys(body).find((name) => !OPTION_NAMES.includes(name));
  if (unknown !== undefined) {
    throw new KvError(
      "body_invalid",
      `"${unknown}" is no option of a bucket; ${OPTION_NAMES.join(", ")} are.`,
    );
  }
  const { restart, metadata, locationHint, jurisdiction } = body;
  if (restart !== undefined && restart !== "permanent") {
    throw new KvError(
      "restart_unsupported",
      'Buckets are "permanent": no other kind of restart is supported yet.',
    );
  }
  return {
    ...(metadata === undefined ? {} : { metadata: metadataOf(metadata) }),
    ...(locationHint === undefined
      ? {}
      : { locationHint: oneOf("locationHint", locationHint, LOCATION_HINTS) }),
    ...(jurisdiction === undefined
      ? {}
      : { jurisdiction: oneOf("jurisdiction", jurisdiction, JURISDICTIONS) }),
  };
}

function parseObject(bytes: ArrayBuffer): Readonly<Record<string, unknown>> {
  let body: unknown;
  try {
    // What is no UTF-8 is no JSON either: nothing at all does not parse.
    body = JSON.parse(decodeUtf8(bytes) ?? "");
  } catch {
    throw new KvError("body_invalid", "The body is not JSON in UTF-8.");
  }
  if (typeof body === "object" && body !== null && !Array.isArray(body))
    return body as Record<string, unknown>;
  throw new KvError("body_invalid", "The body is not a JSON object.");
}

function metadataOf(metadata: unknown): string {
  const json = JSON.stringify(metadata);
  if (byteLength(json) <= MAX_METADATA_BYTES) return json;
  throw new KvError("metadata_too_large", `Metadata is at most ${MAX_METADATA_BYTES} bytes of JSON.`);
}

function oneOf<T extends string>(option: string, given: unknown, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === given);
  if (found !== undefined) return found;
  throw new KvError("body_invalid", `${option} is one of ${allowed.join(", ")}.`);
}

function limitOf(text: string | null): number {
  if (text === null) return MAX_PAGE;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= MAX_PAGE) return limit;
  throw new KvError("query_invalid", `limit is a whole number from 1 to ${MAX_PAGE}.`);
}

/** A cursor is the last name of the page before: a bucket that comes or goes neither skips nor doubles another. */
function cursorOf(name: string): string {
  return new TextEncoder().encode(name).toBase64({ alphabet: "base64url", omitPadding: true });
}

function nameOf(cursor: string | null): string {
  if (cursor === null) return "";
  const name = decode64(cursor);
  if (name !== undefined) return name;
  throw new KvError("cursor_invalid", "This is no cursor of this listing. Begin again without one.");
}

function alreadyThere(name: string): KvError {
  return new KvError("precondition_failed", `There is a bucket ${name} already.`);
}
