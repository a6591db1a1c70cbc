/** Describes buckets: the registry's row, with the totals from the bucket. */

import type { BucketJson, BucketsPage, BucketsQueryJson } from "../contract/buckets.ts";
import { encodeCursor, decodeCursor } from "../model/cursor.ts";
import { MAX_PAGE } from "../model/limits.ts";
import type { Totals } from "../model/totals.ts";
import { Exit, Refusal } from "../otp/exit.ts";
import { bucketJson } from "../schema/bucket-json.ts";
import { READ, type Directory } from "./directory.ts";

/**
 * Describes a bucket with its current totals. If it can't be reached: with the totals of its last probe, and their age.
 * @returns undefined if there is no such bucket
 */
export async function describeBucket(directory: Directory, name: string): Promise<BucketJson | undefined> {
  for (;;) {
    // The registry, not the cache: a lookup must not return an old answer.
    const registration = await directory.lookup(name);
    const totals = registration && (await totalsOf(directory, name));
    if (registration === undefined || totals === undefined) return undefined;
    if (totals === "unreached") return bucketJson(registration);
    // Between the two calls another bucket may have taken the name. Then start again.
    if (totals.incarnation === registration.incarnation) {
      return bucketJson({ ...registration, probe: { ...totals, at: Date.now() } });
    }
  }
}

/** A page of buckets, ordered by name, from the registry only. @throws {KvError} `cursor_invalid` */
export async function describeBuckets(
  directory: Directory,
  { prefix = "", cursor, limit = MAX_PAGE }: BucketsQueryJson,
): Promise<BucketsPage> {
  // One more than the limit shows whether there is a next page.
  const found = await directory.list({ prefix, after: decodeCursor(cursor) ?? "", limit: limit + 1 });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    buckets: page.map(bucketJson),
    ...(found.length > limit && last !== undefined ? { cursor: encodeCursor(last.name) } : {}),
  };
}

async function totalsOf(
  directory: Directory,
  name: string,
): Promise<(Totals & { readonly incarnation: string }) | "unreached" | undefined> {
  try {
    return (await directory.call(name, (bucket) => bucket.totals(), READ))?.reply;
  } catch (error) {
    if (error instanceof Exit || error instanceof Refusal) return "unreached";
    throw error;
  }
}
