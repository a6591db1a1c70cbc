/** The bucket calls: create, look up, stop, list. */

import { behind, cursorOf } from "../cursor.ts";
import { KvError } from "../errors.ts";
import { exitReason, MAX_PAGE, metadataJson } from "../limits.ts";
import { Exit, Refusal } from "../otp/exit.ts";
import type { Directory } from "../registry/directory.ts";
import type { Probe, Registration } from "../registry/names.ts";
import type { CreateOptions } from "../registry/registry.ts";
import type { Totals } from "../totals.ts";
import { checkJson, checkQuery } from "../wire/check.ts";
import { BucketOptionsJson, BucketsQuery, ExitJson } from "../wire/requests.ts";
import { readText } from "./body.ts";
import { perform } from "./cast.ts";
import type { Context } from "./context.ts";
import { bucketNotFound } from "./keys.ts";

/** `PUT /v1/buckets/{b}`: ensures that there is a bucket. 201 if it is new, 200 if it was there. */
export async function createBucket(request: Request, context: Context): Promise<Response> {
  const { directory, target } = context;
  const name = target.bucket;
  const options = await createOptions(request);
  const onlyNew = request.headers.get("If-None-Match")?.trim() === "*";
  return perform(request, context, async () => {
    if (onlyNew && (await directory.lookup(name)) !== undefined) throw alreadyThere(name);
    const { registration, created } = await directory.create(name, options);
    // Another create may have come in between: then the bucket is there, and was not made by this request.
    if (onlyNew && !created) throw alreadyThere(name);
    return Response.json(describe(registration), {
      status: created ? 201 : 200,
      headers: created ? { Location: target.path } : {},
    });
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
export async function stopBucket(request: Request, context: Context): Promise<Response> {
  const { directory, target } = context;
  const name = target.bucket;
  return perform(request, context, async () => {
    if (!(await directory.stop(name))) throw bucketNotFound(name);
    return new Response(null, { status: 204 });
  });
}

/**
 * `POST /v1/buckets/{b}/exit`: an exit signal. 202: it was heard, and when a temporary bucket ends by it, that
 * has happened.
 */
export async function exitBucket(request: Request, context: Context): Promise<Response> {
  const { directory, target } = context;
  const name = target.bucket;
  const reason = exitReason(checkJson(ExitJson, await readText(request)).reason);
  return perform(request, context, async () => {
    if (!(await directory.exit(name, reason))) throw bucketNotFound(name);
    return new Response(null, { status: 202 });
  });
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
  const { prefix = "", cursor, limit = MAX_PAGE } = checkQuery(BucketsQuery, target.query);
  // One more than asked for tells whether there is a next page.
  const found = await directory.list({
    prefix,
    after: behind(cursor) ?? "",
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
  const { metadata, ...options } = checkJson(BucketOptionsJson, bytes);
  return { ...options, ...(metadata === undefined ? {} : { metadata: metadataJson(metadata) }) };
}

function alreadyThere(name: string): KvError {
  return new KvError("precondition_failed", `There is a bucket ${name} already.`);
}
