/** Redis, one server that writes each put to its append-only file, through ioredis. */

import { rm } from "node:fs/promises";
import { Redis } from "ioredis";
import { temporaryFolder } from "../../servers.ts";
import { freePort, startServer } from "../process.ts";
import { outputOf } from "../program.ts";
import type { Peer } from "./peer.ts";

export const redis: Peer = {
  name: "Redis",
  settings: "--appendonly yes --appendfsync always, no snapshots, data on disk; ioredis with auto pipelining",
  install: "install the system's package redis-server, for example apt-get install redis-server",
  version: async () => /v=(\S+)/.exec((await outputOf("redis-server", ["--version"], 5_000)) ?? "")?.[1],
};

export interface RedisStore {
  readonly client: Redis;
  stop(): Promise<void>;
}

export async function startRedis(): Promise<RedisStore> {
  const folder = await temporaryFolder();
  const port = await freePort();
  const options = {
    port: String(port),
    bind: "127.0.0.1",
    dir: folder,
    save: "",
    appendonly: "yes",
    appendfsync: "always",
    loglevel: "warning",
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  // One connection, as our session has. What many callers ask at once goes out together.
  const client = new Redis({
    port,
    host: "127.0.0.1",
    lazyConnect: true,
    enableAutoPipelining: true,
    retryStrategy: () => null,
  });
  client.on("error", () => undefined); // the calls fail, too
  const server = await startServer(["redis-server", ...args], async () => {
    await client.connect();
    return true;
  });
  return {
    client,
    stop: async () => {
      client.disconnect();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
