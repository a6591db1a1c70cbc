/** The whole service, as a connection's commands reach it. */

import { breath, CALL_UNITS } from "../lib/breath.ts";
import type { Service } from "../command/run.ts";
import { KvError } from "../errors.ts";
import { MAX_PAGE } from "../limits.ts";
import { READ, type Directory } from "../registry/directory.ts";
import type { Feeds } from "./feeds.ts";
import type { SessionMonitors } from "./monitors.ts";

/** What keeps talking on a connection after its commands are answered. */
export interface Lasting {
  readonly feeds: Feeds;
  readonly monitors: SessionMonitors;
}

/** Every bucket's service, by way of the directory. Without a connection nothing lasts. */
export function directoryService(directory: Directory, lasting?: Lasting): Service {
  return {
    create: async (bucket) => {
      await directory.create(bucket);
    },
    lookup: async (bucket) => (await directory.lookup(bucket))?.id,
    stop: (bucket) => directory.stop(bucket),
    exit: (bucket, reason) => directory.exit(bucket, reason),
    buckets: async (prefix, after) =>
      (await directory.list({ prefix, after, limit: MAX_PAGE })).map(({ name }) => name),
    run: async (bucket, commands) => {
      const pause = breath.take(CALL_UNITS);
      if (pause !== undefined) await pause;
      const reads = commands.every(({ verb }) => verb === "GET" || verb === "KEYS");
      return directory.call(bucket, (stub) => stub.run(commands), reads ? READ : undefined);
    },
    subscribe: async (bucket) => {
      if (lasting === undefined) throw needsConnection("SUBSCRIBE");
      const feed = await directory.upgrade(bucket, "/subscribe");
      if (feed === undefined) return false;
      lasting.feeds.add(bucket, feed);
      return true;
    },
    monitor: async (bucket) => {
      if (lasting === undefined) throw needsConnection("MONITOR");
      return lasting.monitors.add(bucket);
    },
  };
}

function needsConnection(verb: string): KvError {
  return new KvError("needs_connection", `${verb} needs a connection: TCP, or a WebSocket at /v1/connect.`);
}
