/** The scenarios: the same commands for this service and for the minimal Worker. */

import { isWholeResponse, isWholeText, rawClient, webSocketClient } from "./load/client.ts";
import type { Load } from "./load/measure.ts";
import type { Server } from "./servers.ts";

export interface Scenario {
  readonly name: string;
  /** Smallest ratio of our rate to the minimal Worker's that passes; undefined for no target. */
  readonly target?: number;
  readonly load: (server: Server) => Load;
}

/** A command and its expected reply. A put has a new value each time. */
interface Command {
  readonly text: () => string;
  readonly reply: string;
}

const VALUE = "0123456789";
const GET: Command = { text: () => "GET bench key", reply: `${VALUE}\r\nOK\r\n` };
const PUT: Command = { text: () => `PUT bench other ${freshValue()}`, reply: "OK\r\n" };

export const scenarios: readonly Scenario[] = [
  { name: "HTTP GET, 32 connections", target: 0.85, load: (server) => http(server, "GET", 32) },
  { name: "HTTP PUT, 32 connections", target: 0.85, load: (server) => http(server, "PUT", 32) },
  { name: "HTTP GET, 4 connections", load: (server) => http(server, "GET", 4) },
  { name: "HTTP PUT, 4 connections", load: (server) => http(server, "PUT", 4) },
  { name: "HTTP create bucket, 8 connections", load: createBucket },
  { name: "TCP GET, one at a time", load: (server) => tcp(server, GET, 1, 1) },
  { name: "TCP PUT, one at a time", load: (server) => tcp(server, PUT, 1, 1) },
  { name: "TCP GET, 32 connections", load: (server) => tcp(server, GET, 32, 1) },
  { name: "TCP PUT, 32 connections", load: (server) => tcp(server, PUT, 32, 1) },
  { name: "TCP GET, 64 deep", target: 0.7, load: (server) => tcp(server, GET, 1, 64) },
  { name: "TCP PUT, 64 deep", target: 0.7, load: (server) => tcp(server, PUT, 1, 64) },
  { name: "WebSocket GET, frames of 32", target: 0.7, load: (server) => webSocket(server, GET) },
  { name: "WebSocket PUT, frames of 32", target: 0.7, load: (server) => webSocket(server, PUT) },
];

let created = 0;
let put = 0;

/** Creates the bucket and the key of all scenarios. */
export async function prepare(server: Server): Promise<void> {
  const base = `http://127.0.0.1:${server.http}`;
  if (server.name === "ours") await fetch(`${base}/v1/buckets/bench`, { method: "PUT" });
  await fetch(`${base}${keyPath(server, "key")}`, { method: "PUT", body: VALUE });
}

/** A path that creates one more bucket. */
export function createPath({ name }: Pick<Server, "name">): string {
  created += 1;
  return name === "ours" ? `/v1/buckets/bench-${created}` : `/create/${created}`;
}

function keyPath({ name }: Server, key: string): string {
  return name === "ours" ? `/v1/buckets/bench/keys/${key}` : `/${key}`;
}

function http(server: Server, method: "GET" | "PUT", connections: number): Load {
  const get = `GET ${keyPath(server, "key")} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  const head = `PUT ${keyPath(server, "other")} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${VALUE.length}\r\n\r\n`;
  const request = method === "GET" ? () => get : () => head + freshValue();
  return { batch: 1, connections, connect: () => rawClient(server.http, request, isWholeResponse) };
}

function createBucket(server: Server): Load {
  const request = (): string =>
    `PUT ${createPath(server)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n`;
  return { batch: 1, connections: 8, connect: () => rawClient(server.http, request, isWholeResponse) };
}

/**
 * A new value for each put. SQLite does not write an unchanged row, so with equal values the minimal Worker, which has
 * no revisions, would never write to the disk.
 */
function freshValue(): string {
  put += 1;
  return String(put).padStart(VALUE.length, "0");
}

function tcp(server: Server, { text, reply }: Command, connections: number, deep: number): Load {
  const request = (): string => Array.from({ length: deep }, () => `${text()}\n`).join("");
  return {
    batch: deep,
    connections,
    connect: () => rawClient(server.tcp, request, isWholeText(reply.repeat(deep))),
  };
}

function webSocket(server: Server, { text, reply }: Command): Load {
  const url =
    server.name === "ours"
      ? `ws://localhost:${server.http}/v1/buckets/bench/connect`
      : `ws://localhost:${server.http}/`;
  const message = (): string => Array.from({ length: 32 }, text).join("\n");
  return { batch: 32, connections: 4, connect: () => webSocketClient(url, message, reply.repeat(32)) };
}
