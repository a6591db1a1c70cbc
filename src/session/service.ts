/** The whole service, as a connection's commands reach it. */

import type { Service } from "../command/run.ts";
import { MAX_PAGE } from "../limits.ts";
import type { Directory } from "../registry/directory.ts";

/** What becomes of a feed that SUBSCRIBE has opened: see {@link Service.subscribe}. */
export type OnFeed = (bucket: string, feed: WebSocket) => void;

/** Every bucket's service, by way of the directory. */
export function directoryService(directory: Directory, onFeed: OnFeed): Service {
  return {
    create: async (bucket) => {
      await directory.create(bucket);
    },
    lookup: async (bucket) => (await directory.lookup(bucket))?.id,
    stop: (bucket) => directory.stop(bucket),
    buckets: async (prefix, after) =>
      (await directory.list({ prefix, after, limit: MAX_PAGE })).map(({ name }) => name),
    run: (bucket, commands) => directory.call(bucket, (stub) => stub.run(commands)),
    subscribe: async (bucket) => {
      const feed = await directory.upgrade(bucket, "/subscribe");
      if (feed === undefined) return false;
      onFeed(bucket, feed);
      return true;
    },
  };
}
