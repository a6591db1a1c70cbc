/** A client of the shared server, and its buckets. */

import { Kv, type Bucket } from "../../../src/client/index.ts";
import { server } from "../../e2e/support/shared-server.ts";

export const kv = new Kv({ url: server.http });

/** A bucket of this name, created if need be. */
export async function bucketOf<T extends object = Record<string, unknown>>(name: string): Promise<Bucket<T>> {
  await kv.create(name);
  return kv.bucket<T>(name);
}
