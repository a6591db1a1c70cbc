/** The bucket calls: create, look up, end, list. */

import { readText } from "../directory/body.ts";
import { describeBucket, describeBuckets } from "../directory/describe.ts";
import { KvError } from "../model/errors.ts";
import { keptText, keptTexts } from "../model/kept-json.ts";
import type { CreateOptions } from "../model/registration.ts";
import { exitReason } from "../model/validators.ts";
import { bucketJson, bucketOptionsOf } from "../schema/bucket-json.ts";
import { checkJson, checkQuery } from "../schema/check.ts";
import { BucketOptionsJson, BucketsQuery, ExitJson } from "../schema/requests.ts";
import { bucketNotFound, type Context } from "./context.ts";
import { conditionsOf } from "./etags.ts";
import { jsonText } from "./json-text.ts";
import { respond } from "./respond-async.ts";

/** `PUT /v1/buckets/{b}`: ensures that there is a bucket. 201 if it is new, 200 if it was there. */
export async function createBucket(request: Request, context: Context): Promise<Response> {
  const { directory, target } = context;
  const name = target.bucket;
  const options = await createOptions(request);
  const onlyNew = isOnlyNew(request.headers);
  return respond(request, context, async () => {
    if (onlyNew && (await directory.lookup(name)) !== undefined) throw alreadyThere(name);
    const { registration, created } = await directory.create(name, options);
    // Another create may have come in between: then the bucket is there, and was not made by this request.
    if (onlyNew && !created) throw alreadyThere(name);
    const headers = created ? { Location: target.path } : {};
    return jsonText(keptText(bucketJson(registration)), headers, created ? 201 : 200);
  });
}

/**
 * `GET` and `HEAD /v1/buckets/{b}`: what the registry and the bucket know of it. Where the bucket can't be
 * reached, what it said to its last probe, with the age of that.
 */
export async function lookUpBucket(_request: Request, { directory, target }: Context): Promise<Response> {
  const name = target.bucket;
  const found = await describeBucket(directory, name);
  if (found === undefined) throw bucketNotFound(name);
  return jsonText(keptText(found));
}

/** `DELETE /v1/buckets/{b}`: stop, reason normal; its data is gone and its name free. */
export async function stopBucket(request: Request, context: Context): Promise<Response> {
  const { directory, target } = context;
  const name = target.bucket;
  return respond(request, context, async () => {
    if (!(await directory.stop(name))) throw bucketNotFound(name);
    return new Response(null, { status: 204 });
  });
}

/**
 * `POST /v1/buckets/{b}/exit`: an exit signal. 202: it was heard, and when a temporary bucket ends by it, that
 * has happened.
 */
export async function exitBucket(request: Request, context: Context): Promise<Response> {
  const { bucket } = context;
  const reason = exitReason((await checkJson(ExitJson, await readText(request))).reason);
  return respond(request, context, async () => {
    await bucket.exit(reason);
    return new Response(null, { status: 202 });
  });
}

/** `GET /v1/buckets?prefix&cursor&limit`: names in order, from the registry alone. */
export async function listBuckets(_request: Request, { directory, target }: Context): Promise<Response> {
  const { buckets, cursor } = await describeBuckets(directory, checkQuery(BucketsQuery, target.query));
  const more = cursor === undefined ? "" : `,"cursor":${JSON.stringify(cursor)}`;
  return jsonText(`{"buckets":${keptTexts(buckets)}${more}}`);
}

async function createOptions(request: Request): Promise<CreateOptions> {
  const bytes = await readText(request);
  return bytes.byteLength === 0 ? {} : bucketOptionsOf(await checkJson(BucketOptionsJson, bytes));
}

/** A bucket has no tag: either it is there, or it is not. @throws {KvError} `header_invalid` */
function isOnlyNew(headers: Headers): boolean {
  const { ifNoneMatch } = conditionsOf(headers);
  if (ifNoneMatch === undefined || ifNoneMatch === "*") return ifNoneMatch === "*";
  throw new KvError("header_invalid", "A bucket has no entity tag: If-None-Match is * here.");
}

function alreadyThere(name: string): KvError {
  return new KvError("precondition_failed", `There is a bucket ${name} already.`);
}
