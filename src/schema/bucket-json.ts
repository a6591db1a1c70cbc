/** Buckets as JSON: the options of a create, and a registration in a response. Pure. */

import type { BucketJson, BucketOptionsJson } from "../contract/buckets.ts";
import { KeptJson } from "../model/kept-json.ts";
import { UNKNOWN, type CreateOptions, type Probe, type Registration } from "../model/registration.ts";
import { metadataJson } from "../model/validators.ts";

/** The options of a create. @throws {KvError} `metadata_too_large`, `body_invalid` */
export function bucketOptionsOf({ metadata, ...options }: BucketOptionsJson): CreateOptions {
  return { ...options, ...(metadata === undefined ? {} : { metadata: metadataJson(metadata) }) };
}

/** A registration as JSON. */
export function bucketJson(registration: Registration): BucketJson {
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
    // Lookups and lists never return a bucket that is `starting` or `stopping`, so the cast is safe.
    status: state as BucketJson["status"],
    restart,
    restarts,
    ...(reason === null ? {} : { lastReason: reason }),
    createdAt: new Date(createdAt).toISOString(),
    ...(isKnown(jurisdiction) ? { jurisdiction } : {}),
    ...(isKnown(locationHint) ? { locationHint } : {}),
    ...(metadata === null ? {} : { metadata: new KeptJson(metadata) }),
    ...(probe === null ? {} : probeJson(probe)),
  };
}

/** Whether the option was given and stored. */
function isKnown(option: string | null): option is string {
  return option !== null && option !== UNKNOWN;
}

function probeJson({ entries, bytes, revision, at }: Probe): Partial<BucketJson> {
  const probedAt = new Date(at).toISOString();
  return { entries, bytes, revision, probedAt, probeAgeMs: Math.max(0, Date.now() - at) };
}
