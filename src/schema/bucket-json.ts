/** Buckets as JSON: how they are created, and what is known of them. Pure. */

import type { BucketJson, BucketOptionsJson } from "../contract/buckets.ts";
import { KeptJson } from "../model/kept-json.ts";
import { UNKNOWN, type CreateOptions, type Probe, type Registration } from "../model/registration.ts";
import { metadataJson } from "../model/validators.ts";

/** @throws {KvError} `metadata_too_large` */
export function bucketOptionsOf({ metadata, ...options }: BucketOptionsJson): CreateOptions {
  return { ...options, ...(metadata === undefined ? {} : { metadata: metadataJson(metadata) }) };
}

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
    // What is starting or stopping is not there: no caller is told of it.
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

/** Whether it was given, as far as that was kept. */
function isKnown(option: string | null): option is string {
  return option !== null && option !== UNKNOWN;
}

function probeJson({ entries, bytes, revision, at }: Probe): Partial<BucketJson> {
  const probedAt = new Date(at).toISOString();
  return { entries, bytes, revision, probedAt, probeAgeMs: Math.max(0, Date.now() - at) };
}
