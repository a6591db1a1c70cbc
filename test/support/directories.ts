/** Directories for tests: callers of the registry, each with a cache of its own, as two isolates would have. */

import { env } from "cloudflare:workers";
import { BoundedCache } from "../../src/lib/bounded-cache.ts";
import { Directory, type DirectoryCache } from "../../src/directory/directory.ts";

/** As many as the project under test is set to. */
export const PARTITIONS = Number(env.KV_PARTITIONS);

export interface Isolate {
  readonly directory: Directory;
  readonly cache: DirectoryCache;
  /** Waits for what was sent without waiting. */
  settled(): Promise<void>;
}

export function isolate(
  options: { readonly partitions?: number; readonly cacheLimit?: number } = {},
): Isolate {
  const sent: Promise<unknown>[] = [];
  const cache: DirectoryCache = new BoundedCache({ limit: options.cacheLimit ?? 100 });
  // The first call of a file has the whole Worker loaded: on a machine that is busy that takes its time.
  const settings = { partitions: options.partitions ?? PARTITIONS, callTimeoutMs: 60_000 };
  return {
    directory: new Directory(env, settings, cache, (promise) => sent.push(promise)),
    cache,
    settled: async () => {
      await Promise.all(sent);
    },
  };
}
