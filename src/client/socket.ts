/** WebSockets to the service. */

import { toBase64Url } from "./base64.ts";
import { KvError } from "./errors.ts";

/** What is used of the platform's WebSocket. */
export type WebSocketClass = new (url: string, protocols?: string[]) => WebSocket;

/** The subprotocol that the service confirms. */
const SUBPROTOCOL = "kv";
/** A browser can't set headers on a WebSocket, so the token is a second subprotocol. */
const TOKEN_SUBPROTOCOL = "kv.bearer.";

/** @throws {KvError} `websocket_missing`, on a platform that has none and where none is given (Node 20) */
export function openSocket(
  address: URL,
  token: string | undefined,
  Socket: WebSocketClass | undefined = globalThis.WebSocket,
): WebSocket {
  if (Socket === undefined) {
    throw new KvError(
      "websocket_missing",
      "This platform has no WebSocket. Give the client one: new Kv({ url, WebSocket }).",
    );
  }
  const url = new URL(address);
  url.protocol = url.protocol.replace("http", "ws");
  const shown = token === undefined ? [] : [SUBPROTOCOL, TOKEN_SUBPROTOCOL + toBase64Url(token)];
  return new Socket(url.href, shown);
}
