/** The bucket calls: create, look up, stop, list. */

import { KvError } from "../errors.ts";
import { MAX_METADATA_BYTES, MAX_PAGE, byteLength, exitReason } from "../limits.ts";
import { Exit, Refusal } from "../otp/exit.ts";
import type { RestartKind } from "../otp/restart.ts";
import type { Directory } from "../registry/directory.ts";
import type { Probe, Registration } from "../registry/names.ts";
import type { CreateOptions } from "../registry/registry.ts";
import type { Totals } from "../totals.ts";
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
const RESTART_KINDS: readonly RestartKind[] = ["permanent", "temporary"];
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

/**
 * `GET` and `HEAD /v1/buckets/{b}`: what the registry and the bucket know of it. Where the bucket can't be
 * reached, what it said to its last probe, with the age of that.
 */
export async function lookUpBucket(_request: Request, { directory, target }: Context): Promise<Response> {
  const name = target.bucket;
  for (;;) {
    // The registry is asked, not the cache: a lookup is never answered from what was true before.
    const registration = await directory.lookup(name);
    const totals = registration && (await totalsOf(directory, name));
    if (registration === undefined || totals === undefined) throw bucketNotFound(name);
    if (totals === "unreached") return Response.json(describe(registration));
    // Between the two questions another bucket may have taken the name: then both are asked again.
    if (totals.incarnation === registration.incarnation) {
      return Response.json(describe({ ...registration, probe: { ...totals, at: Date.now() } }));
    }
  }
}

async function totalsOf(
  directory: Directory,
  name: string,
): Promise<(Totals & { readonly incarnation: string }) | "unreached" | undefined> {
  try {
    return await directory.call(name, (bucket) => bucket.totals());
  } catch (error) {
    if (error instanceof Exit || error instanceof Refusal) return "unreached";
    throw error;
  }
}

/** `DELETE /v1/buckets/{b}`: stop, reason normal; its data is gone and its name free. */
export async function stopBucket(_request: Request, { directory, target }: Context): Promise<Response> {
  const name = target.bucket;
  if (!(await directory.stop(name))) throw bucketNotFound(name);
  return new Response(null, { status: 204 });
}

/**
 * `POST /v1/buckets/{b}/exit`: an exit signal. 202: it was heard, and when a temporary bucket ends by it, that
 * has happened.
 */
export async function exitBucket(request: Request, { directory, target }: Context): Promise<Response> {
  const name = target.bucket;
  const { reason } = parseObject(await readText(request), ["reason"]);
  if (typeof reason !== "string") {
    throw new KvError("body_invalid", 'An exit has a reason: {"reason": "shutdown"}, or "kill".');
  }
  if (!(await directory.exit(name, exitReason(reason)))) throw bucketNotFound(name);
  return new Response(null, { status: 202 });
}

/**
 * `GET /v1/registry`: how many names there are in each state, and what the sweep has done since the partitions
 * were last woken. Wakes no bucket.
 */
export async function describeRegistry(
  _request: Request,
  { directory, settings }: Context,
): Promise<Response> {
  const all = await directory.stats();
  const states = sum(all.map((stats) => stats.states));
  return Response.json({
    partitions: settings.partitions,
    names: Object.values(states).reduce((total, count) => total + count, 0),
    states,
    sweep: sum(all.map(({ sweep }) => ({ ...sweep }))),
  });
}

/** The sums of what has the same name. */
function sum(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const count of counts) {
    for (const [name, number] of Object.entries(count)) total[name] = (total[name] ?? 0) + number;
  }
  return total;
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

function describe(registration: Registration): Record<string, unknown> {
  const { name, id, incarnation, state, restart, restarts, reason, createdAt, metadata, probe } =
    registration;
  return {
    name,
    id,
    incarnation,
    status: state,
    restart,
    restarts,
    ...(reason === null ? {} : { lastReason: reason }),
    createdAt: new Date(createdAt).toISOString(),
    ...(metadata === null ? {} : { metadata: JSON.parse(metadata) as unknown }),
    ...(probe === null ? {} : described(probe)),
  };
}

function described({ entries, bytes, revision, at }: Probe): Record<string, unknown> {
  const probedAt = new Date(at).toISOString();
  return { entries, bytes, revision, probedAt, probeAgeMs: Math.max(0, Date.now() - at) };
}

async function createOptions(request: Request): Promise<CreateOptions> {
  const bytes = await readText(request);
  if (bytes.byteLength === 0) return {};
  const { restart, metadata, locationHint, jurisdiction } = parseObject(bytes, OPTION_NAMES);
  return {
    ...(restart === undefined ? {} : { restart: oneOf("restart", restart, RESTART_KINDS) }),
    ...(metadata === undefined ? {} : { metadata: metadataOf(metadata) }),
    ...(locationHint === undefined
      ? {}
      : { locationHint: oneOf("locationHint", locationHint, LOCATION_HINTS) }),
    ...(jurisdiction === undefined
      ? {}
      : { jurisdiction: oneOf("jurisdiction", jurisdiction, JURISDICTIONS) }),
  };
}

/** The body's members, none but these. */
function parseObject(bytes: ArrayBuffer, members: readonly string[]): Readonly<Record<string, unknown>> {
  let body: unknown;
  try {
    // What is no UTF-8 is no JSON either: nothing at all does not parse.
    body = JSON.parse(decodeUtf8(bytes) ?? "");
  } catch {
    throw new KvError("body_invalid", "The body is not JSON in UTF-8.");
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new KvError("body_invalid", "The body is not a JSON object.");
  }
  const unknown = Object.keys(body).find((name) => !members.includes(name));
  if (unknown === undefined) return body as Record<string, unknown>;
  throw new KvError("body_invalid", `"${unknown}" is not known here; ${members.join(", ")} is.`);
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
