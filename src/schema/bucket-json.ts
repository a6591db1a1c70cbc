/** Buckets as JSON: what is asked about them, and what is told. */

import type * as z from "zod/mini";
import { behind, cursorOf } from "../model/cursor.ts";
import { KeptJson } from "../model/kept-json.ts";
import { MAX_PAGE, metadataJson } from "../model/limits.ts";
import { Exit, Refusal } from "../otp/exit.ts";
import { READ, type Directory } from "../directory/directory.ts";
import { UNKNOWN, type Probe, type Registration } from "../registry/names.ts";
import type { CreateOptions } from "../registry/bucket-options.ts";
import type { Totals } from "../model/totals.ts";
import type { BucketAnswer, BucketsAnswer } from "./answers.ts";
import type { BucketOptionsJson, BucketsQuery } from "./requests.ts";

export type BucketJson = z.output<typeof BucketAnswer>;
export type BucketsJson = z.output<typeof BucketsAnswer>;

/** @throws {KvError} `metadata_too_large` */
export function bucketOptionsOf({ metadata, ...options }: z.output<typeof BucketOptionsJson>): CreateOptions {
  return { ...options, ...(metadata === undefined ? {} : { metadata: metadataJson(metadata) }) };
}

/** What the registry and the bucket know of it; undefined if there is no such bucket. */
export async function describeBucket(directory: Directory, name: string): Promise<BucketJson | undefined> {
  for (;;) {
    // The registry is asked, not the cache: a lookup is never answered from what was true before.
    const registration = await directory.lookup(name);
    const totals = registration && (await totalsOf(directory, name));
    if (registration === undefined || totals === undefined) return undefined;
    if (totals === "unreached") return describe(registration);
    // Between the two questions another bucket may have taken the name: then both are asked again.
    if (totals.incarnation === registration.incarnation) {
      return describe({ ...registration, probe: { ...totals, at: Date.now() } });
    }
  }
}

/** A page of buckets in the order of their names, from the registry alone. */
export async function describeBuckets(
  directory: Directory,
  { prefix = "", cursor, limit = MAX_PAGE }: z.output<typeof BucketsQuery>,
): Promise<BucketsJson> {
  // One more than asked for tells whether there is a next page.
  const found = await directory.list({ prefix, after: behind(cursor) ?? "", limit: limit + 1 });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    buckets: page.map(describe),
    ...(found.length > limit && last !== undefined ? { cursor: cursorOf(last.name) } : {}),
  };
}

export function describe(registration: Registration): BucketJson {
  const {
    name,
    id,
    incarnation,
    state,
    restart,
    restarts,
    reason,
    createdAt,
    metadata,
    jurisdiction,
    locationHint,
    probe,
  } = registration;
  return {
    name,
    id,
    incarnation,
    // What is starting or stopping is not there: nobody is told of it.
    status: state as BucketJson["status"],
    restart,
    restarts,
    ...(reason === null ? {} : { lastReason: reason }),
    createdAt: new Date(createdAt).toISOString(),
    ...(isKnown(jurisdiction) ? { jurisdiction } : {}),
    ...(isKnown(locationHint) ? { locationHint } : {}),
    ...(metadata === null ? {} : { metadata: new KeptJson(metadata) }),
    ...(probe === null ? {} : described(probe)),
  };
}

/** Whether it was given, as far as that was kept. */
function isKnown(option: string | null): option is string {
  return option !== null && option !== UNKNOWN;
}

function described({ entries, bytes, revision, at }: Probe): Partial<BucketJson> {
  const probedAt = new Date(at).toISOString();
  return { entries, bytes, revision, probedAt, probeAgeMs: Math.max(0, Date.now() - at) };
}

async function totalsOf(
  directory: Directory,
  name: string,
): Promise<(Totals & { readonly incarnation: string }) | "unreached" | undefined> {
  try {
    return await directory.call(name, (bucket) => bucket.totals(), READ);
  } catch (error) {
    if (error instanceof Exit || error instanceof Refusal) return "unreached";
    throw error;
  }
}
