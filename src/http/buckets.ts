/** Handlers for buckets: create, look up, stop, exit, list. */

import { readText } from "../directory/body.ts";
import { describeBuckets } from "../directory/describe.ts";
import { KvError } from "../model/errors.ts";
import { keptText, keptTexts } from "../model/kept-json.ts";
import type { CreateOptions } from "../model/registration.ts";
import { exitReason } from "../model/validators.ts";
import { bucketJson, bucketOptionsOf } from "../schema/bucket-json.ts";
import { checkJson, checkQuery } from "../schema/check.ts";
import { BucketOptionsJson, BucketsQuery, ExitJson } from "../schema/requests.ts";
import type { Context } from "./context.ts";
import { headerConditions } from "./etags.ts";
import { jsonText } from "./json-text.ts";
import { respond } from "./respond-async.ts";

/** `PUT /v1/buckets/{b}`: ensures that there is a bucket. 201 if it was created, 200 if it existed. */
export async function createBucket(request: Request, context: Context): Promise<Response> {
  const { directory, target } = context;
  const name = target.bucket;
  const options = await createOptions(request);
  const onlyNew = isOnlyNew(request.headers);
  return respond(request, context, async () => {
    if (onlyNew && (await directory.lookup(name)) !== undefined) throw alreadyThere(name);
    const { registration, created } = await directory.create(name, options);
    // Another request may have created the bucket between the two calls.
    if (onlyNew && !created) throw alreadyThere(name);
    const headers = created ? { Location: target.path } : {};
    return jsonText(keptText(bucketJson(registration)), headers, created ? 201 : 200);
  });
}

/**
 * `GET` and `HEAD /v1/buckets/{b}`: describes a bucket. If the bucket can't be reached: with the result of its last probe,
 * and the age of that.
 */
export async function lookUpBucket(_request: Request, { bucket }: Context): Promise<Response> {
  return jsonText(keptText(await bucket.describe()));
}

/** `DELETE /v1/buckets/{b}`: stops a bucket, reason normal. Deletes its data and frees its name. */
export async function stopBucket(request: Request, context: Context): Promise<Response> {
  const { bucket } = context;
  return respond(request, context, async () => {
    await bucket.stop();
    return new Response(null, { status: 204 });
  });
}

/**
 * `POST /v1/buckets/{b}/exit`: sends an exit signal. 202: the bucket received it; if the signal ends a temporary bucket,
 * that bucket has already ended.
 */
export async function exitBucket(request: Request, context: Context): Promise<Response> {
  const { bucket } = context;
  const reason = exitReason((await checkJson(ExitJson, await readText(request))).reason);
  return respond(request, context, async () => {
    await bucket.exit(reason);
    return new Response(null, { status: 202 });
  });
}

/** `GET /v1/buckets?prefix&cursor&limit`: lists buckets by name, from the registry only. */
export async function listBuckets(_request: Request, { directory, target }: Context): Promise<Response> {
  const { buckets, cursor } = await describeBuckets(directory, checkQuery(BucketsQuery, target.query));
  const more = cursor === undefined ? "" : `,"cursor":${JSON.stringify(cursor)}`;
  return jsonText(`{"buckets":${keptTexts(buckets)}${more}}`);
}

async function createOptions(request: Request): Promise<CreateOptions> {
  const bytes = await readText(request);
  return bytes.byteLength === 0 ? {} : bucketOptionsOf(await checkJson(BucketOptionsJson, bytes));
}

/** Whether `If-None-Match: *` is sent; a bucket has no entity tag to compare. @throws {KvError} `header_invalid` */
function isOnlyNew(headers: Headers): boolean {
  const { ifNoneMatch } = headerConditions(headers);
  if (ifNoneMatch === undefined || ifNoneMatch === "*") return ifNoneMatch === "*";
  throw new KvError("header_invalid", "A bucket has no entity tag. If-None-Match must be * here.");
}

function alreadyThere(name: string): KvError {
  return new KvError("precondition_failed", `The bucket ${name} already exists.`);
}
