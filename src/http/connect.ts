/** WebSocket upgrades: `/v1/connect` for any bucket, `/v1/buckets/{b}/connect` straight to one. */

import { KvError, tooManyConnections } from "../model/errors.ts";
import { connections } from "../lib/connections.ts";
import { acceptWebSocket } from "../connection/websocket.ts";
import { admitted, type Context } from "./context.ts";
import { subprotocol } from "./guard.ts";

export function connectToAny(request: Request, { directory, auth }: Context): Response {
  requireUpgrade(request);
  return upgraded(request, acceptWebSocket(directory, admitted(auth)));
}

/** The bucket's own object takes the connection; from then on the Worker is not in its way. */
export function connectToBucket(request: Request, context: Context): Promise<Response> {
  return connect(request, context, "/connect");
}

/** As {@link connectToBucket}, with requests in JSON. */
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

/** @throws {KvError} `too_many_connections` */
export function requirePlace(): void {
  if (connections.full) throw tooManyConnections();
}

/** Whether a WebSocket is asked for; a HEAD can't. */
export function isUpgrade({ method, headers }: Request): boolean {
  return method === "GET" && headers.get("Upgrade")?.toLowerCase() === "websocket";
}

function requireUpgrade(request: Request): void {
  if (isUpgrade(request)) return;
  throw new KvError("upgrade_required", "This path speaks WebSocket: connect with ws:// or wss://.");
}
