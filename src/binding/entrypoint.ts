/** The entrypoint for other Workers of the account: a service binding with RPC methods. */

import { WorkerEntrypoint } from "cloudflare:workers";
import * as z from "zod/mini";
import type { Env } from "../config/env.ts";
import type { BucketJson, BucketsPage } from "../contract/buckets.ts";
import { existed, orNoBucket } from "../directory/bucket-handle.ts";
import { describeBuckets } from "../directory/describe.ts";
import type { Directory } from "../directory/directory.ts";
import { directoryOf } from "../directory/isolate.ts";
import { serveAdmitted } from "../http/app.ts";
import { Context } from "../http/context.ts";
import { problem } from "../http/problem.ts";
import { servePublic } from "../http/public.ts";
import { failureOf } from "../model/errors.ts";
import type { CreateOptions } from "../model/registration.ts";
import { bucketName, exitReason } from "../model/validators.ts";
import { bucketJson, bucketOptionsOf } from "../schema/bucket-json.ts";
import { BucketOptionsJson, BucketsQuery } from "../schema/requests.ts";
import { BoundBucket } from "./bucket.ts";
import { parsedMetadata } from "./exact-json.ts";
import { orBindingError } from "./failures.ts";
import { checkGiven } from "./given.ts";
import { Namespace } from "./namespace.ts";
import { Reach } from "./reach.ts";
import type { BucketHandleOptions, KvBinding } from "./types.ts";

/**
 * The service as another Worker binds it:
 *
 * ```toml
 * [[services]]
 * binding = "KV"
 * service = "durable-kv"
 * entrypoint = "KvEntrypoint"
 * ```
 *
 * ```ts
 * await env.KV.create("shopping");
 * using bucket = env.KV.bucket("shopping");
 * await bucket.put("milk", "1");
 * console.log(await bucket.get("milk")); // "1"
 * ```
 *
 * It needs no token, because only Workers of the same account can bind it. The message of an error
 * starts with its code, and `kvFailure` reads it.
 */
export class KvEntrypoint
  extends WorkerEntrypoint<Env>
  implements Omit<KvBinding, "bucket" | "namespace" | "fetch">
{
  /** The whole HTTP API. Never throws: every error is a problem document. */
  override fetch(request: Request): Response | Promise<Response> {
    try {
      const context = new Context(request, this.env, this.#keepAlive);
      return servePublic(request, context.target.path) ?? serveAdmitted(request, context);
    } catch (error) {
      return problem(failureOf(error));
    }
  }

  /**
   * The methods of one bucket. It need not exist; with `create`, which is true or the bucket's options, the first write
   * creates it, and until then reads find nothing.
   */
  bucket(name: string, options: BucketHandleOptions = {}): BoundBucket {
    return new BoundBucket(new Reach(this.#directory, name, () => createOf(options)));
  }

  /** One bucket as a `KVNamespace`. It need not exist: the first put creates it. */
  namespace(name: string): Namespace {
    return new Namespace(new Reach(this.#directory, name, () => ({})));
  }

  /**
   * Ensures that there is a bucket. Options: `{restart, locationHint, jurisdiction, metadata}`.
   * @throws `bucket_name_invalid`, `body_invalid`, `bucket_exists_differently`, `jurisdiction_unavailable`
   */
  create(name: string, options: unknown = {}): Promise<BucketJson & { readonly created: boolean }> {
    return orBindingError(async () => {
      const checked = bucketOptionsOf(checkGiven(BucketOptionsJson, options, "body_invalid"));
      const { registration, created } = await this.#directory().create(bucketName(name), checked);
      return { ...parsedMetadata(bucketJson(registration)), created };
    });
  }

  /** Describes a bucket; null if there is none. @throws `bucket_name_invalid` */
  lookup(name: string): Promise<BucketJson | null> {
    return orBindingError(async () => {
      const found = await orNoBucket(this.#reach(bucketName(name)).bucket.describe());
      return found === undefined ? null : parsedMetadata(found);
    });
  }

  /** Stops a bucket: deletes its data and frees its name. @returns whether there was one @throws `bucket_name_invalid` */
  stop(name: string): Promise<boolean> {
    return orBindingError(async () => existed(this.#reach(bucketName(name)).bucket.stop()));
  }

  /** Sends an exit signal. @returns whether there was such a bucket @throws `bucket_name_invalid`, `reason_invalid` */
  exit(name: string, reason: string): Promise<boolean> {
    return orBindingError(async () => {
      const { bucket } = this.#reach(bucketName(name));
      return existed(bucket.exit(exitReason(reason)));
    });
  }

  /** A page of buckets, ordered by name: `{prefix, cursor, limit}`. @throws `query_invalid`, `cursor_invalid` */
  buckets(query: unknown = {}): Promise<BucketsPage> {
    return orBindingError(async () => {
      const page = await describeBuckets(this.#directory(), checkGiven(BucketsQuery, query, "query_invalid"));
      return { ...page, buckets: page.buckets.map(parsedMetadata) };
    });
  }

  readonly #keepAlive = (sent: Promise<unknown>): void => this.ctx.waitUntil(sent);

  #reach(name: string): Reach {
    return new Reach(this.#directory, name);
  }

  readonly #directory = (): Directory => directoryOf(this.env, this.#keepAlive);
}

const HandleJson = z.strictObject({ create: z.optional(z.union([z.boolean(), BucketOptionsJson])) });

/** @throws {KvError} `body_invalid` */
function createOf(options: BucketHandleOptions): CreateOptions | undefined {
  const { create = false } = checkGiven(HandleJson, options, "body_invalid");
  if (create === false) return undefined;
  return create === true ? {} : bucketOptionsOf(create);
}
