/** Buckets for tests, started without a registry. */

import { env } from "cloudflare:workers";
import { call } from "../../src/otp/call.ts";
import type { Bucket } from "../../src/bucket/bucket.ts";

/** A bucket of its own, just started. */
export async function startBucket(name: string, incarnation = "aaaa"): Promise<DurableObjectStub<Bucket>> {
  const bucket = env.BUCKET.get(env.BUCKET.newUniqueId());
  await call(() => bucket.start({ name, incarnation, createdAt: 0 }));
  return bucket;
}

export function bytes(...values: readonly number[]): ArrayBuffer {
  return new Uint8Array(values).buffer;
}
