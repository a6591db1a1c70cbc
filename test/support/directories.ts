/** Directories for tests: callers of the registry, each with a cache of its own, as two isolates would have. */

import { env } from "cloudflare:workers";
import { BoundedCache } from "../../src/lib/bounded-cache.ts";
import type { Reply } from "../../src/otp/exit.ts";
import type { BucketStub } from "../../src/rpc/bucket-rpc.ts";
import { BucketHandle, existed, orNoBucket } from "../../src/directory/bucket-handle.ts";
import { Directory, type AskOptions, type DirectoryCache } from "../../src/directory/directory.ts";

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
    // Within one test there is one context, whose promises may settle each other.
    directory: new Directory(env, settings, cache, (promise) => sent.push(promise), undefined, {
      crosses: true,
    }),
    cache,
    settled: async () => {
      await Promise.all(sent);
    },
  };
}

/** Creates a bucket. @returns the id of its object */
export async function create(directory: Directory, name: string): Promise<string> {
  const { registration } = await directory.create(name);
  return registration.id;
}

/** Sends an exit signal. @returns whether there was such a bucket */
export function exitBucket(directory: Directory, name: string, reason: string): Promise<boolean> {
  return existed(new BucketHandle(directory, name).exit(reason));
}

/** Opens a WebSocket of a bucket. @returns undefined if there is no such bucket */
export function connectBucket(
  directory: Directory,
  name: string,
  to: Parameters<BucketHandle["connect"]>[0],
): Promise<WebSocket | undefined> {
  return orNoBucket(new BucketHandle(directory, name).connect(to));
}

/** Asks whichever bucket has the name. @returns its reply; undefined if there is no such bucket */
export async function ask<T>(
  directory: Directory,
  name: string,
  request: (bucket: BucketStub) => Promise<Reply<T>>,
  options?: AskOptions,
): Promise<T | undefined> {
  return (await directory.call(name, request, options))?.reply;
}
