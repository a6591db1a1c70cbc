/** WebSocket upgrades: `/v1/connect` for all buckets; `/v1/buckets/{b}/connect` and `/session` for one bucket. */

import { KvError, tooManyConnections } from "../model/errors.ts";
import { connections } from "../lib/connections.ts";
import { acceptWebSocket } from "../connection/websocket.ts";
import { admitted, type Context } from "./context.ts";
import { subprotocol } from "./guard.ts";

/** `GET /v1/connect`: the text protocol for all buckets, served by the Worker. */
export function connectToAny(request: Request, { directory, auth }: Context): Response {
  requireUpgrade(request);
  return upgraded(request, acceptWebSocket(directory, admitted(auth)));
}

/** `GET /v1/buckets/{b}/connect`: the text protocol. The bucket itself holds the connection; no Worker is in between. */
export function connectToBucket(request: Request, context: Context): Promise<Response> {
  return connect(request, context, "/connect");
}

/** `GET /v1/buckets/{b}/session`: like {@link connectToBucket}, with requests in JSON. */
export function openSession(request: Request, context: Context): Promise<Response> {
  return connect(request, context, "/session");
}

async function connect(
  request: Request,
  { bucket }: Context,
  path: "/connect" | "/session",
): Promise<Response> {
  requireUpgrade(request);
  requirePlace();
  return upgraded(request, await bucket.connect(path));
}

function upgraded(request: Request, webSocket: WebSocket): Response {
  return new Response(null, { status: 101, webSocket, headers: subprotocol(request) });
}

/** Checks the limit of connections. @throws {KvError} `too_many_connections` */
export function requirePlace(): void {
  if (connections.full) throw tooManyConnections();
}

/** Whether a request asks for a WebSocket. A HEAD can't. */
export function isUpgrade({ method, headers }: Request): boolean {
  return method === "GET" && headers.get("Upgrade")?.toLowerCase() === "websocket";
}

function requireUpgrade(request: Request): void {
  if (isUpgrade(request)) return;
  throw new KvError("upgrade_required", "This path needs a WebSocket. Connect with ws:// or wss://.");
}
