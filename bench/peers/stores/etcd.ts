/** etcd, one member, through its gateway for HTTP and JSON. */

import { rm } from "node:fs/promises";
import { askHttp } from "../../load/http.ts";
import { temporaryFolder } from "../../servers.ts";
import { freePort, startServer } from "../process.ts";
import { outputOf } from "../program.ts";
import type { HttpStore } from "./http-store.ts";
import type { Peer } from "./peer.ts";

export const etcd: Peer = {
  name: "etcd",
  settings:
    "one member, over its HTTP gateway; data on disk, and its log is synced before a put is answered, as is its default",
  install: "install the system's package etcd-server, for example apt-get install etcd-server",
  version: async () => /etcd Version: (\S+)/.exec((await outputOf("etcd", ["--version"], 5_000)) ?? "")?.[1],
};

export async function startEtcd(): Promise<HttpStore> {
  const folder = await temporaryFolder();
  const origin = `http://127.0.0.1:${await freePort()}`;
  const peers = `http://127.0.0.1:${await freePort()}`;
  const options = {
    name: "bench",
    "data-dir": folder,
    "listen-client-urls": origin,
    "advertise-client-urls": origin,
    "listen-peer-urls": peers,
    "initial-advertise-peer-urls": peers,
    "initial-cluster": `bench=${peers}`,
    logger: "zap",
    "log-level": "error",
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  // It is ready when it has a leader: only then does it take a put.
  const server = await startServer(["etcd", ...args], async () => {
    await askHttp(origin, put("0000000000"));
    return true;
  });
  return {
    origin,
    put,
    get: () => call("range", { key: KEY }),
    valueIn: (response) => {
      const { kvs } = JSON.parse(response) as { readonly kvs?: readonly { readonly value: string }[] };
      return Buffer.from(kvs?.[0]?.value ?? "", "base64").toString();
    },
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const KEY = base64("key");

function put(value: string): ReturnType<HttpStore["put"]> {
  return call("put", { key: KEY, value: base64(value) });
}

function call(verb: "put" | "range", body: Readonly<Record<string, string>>): ReturnType<HttpStore["put"]> {
  const headers = { "Content-Type": "application/json" };
  return { method: "POST", path: `/v3/kv/${verb}`, headers, body: JSON.stringify(body) };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
