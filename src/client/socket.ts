/** WebSockets to the service. */

import { toBase64Url } from "./base64.ts";
import { KvError } from "./errors.ts";

/** What is used of a WebSocket: what the platform's has, and so does that of the package ws. */
export interface Socket {
  addEventListener(type: "open" | "close" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  send(data: string): void;
  close(): void;
}
export type WebSocketClass = new (url: string, protocols?: string[]) => Socket;

/** The platform's, where it has one: the types of Node 20 know of none. */
export type PlatformSocket = typeof globalThis extends { WebSocket: { prototype: infer Own } } ? Own : Socket;

/** The subprotocol that the service confirms. */
const SUBPROTOCOL = "kv";
/** A browser can't set headers on a WebSocket, so the token is a second subprotocol. */
const TOKEN_SUBPROTOCOL = "kv.bearer.";

/** @throws {KvError} `websocket_missing`, on a platform that has none and where none is given (Node 20) */
export function openSocket(
  address: URL,
  token: string | undefined,
  Given: WebSocketClass | undefined = globalThis.WebSocket,
): Socket {
  if (Given === undefined) {
    throw new KvError(
      "websocket_missing",
      "This platform has no WebSocket. Give the client one: new Kv({ url, WebSocket }).",
    );
  }
  const url = new URL(address);
  url.protocol = url.protocol.replace("http", "ws");
  const shown = token === undefined ? [] : [SUBPROTOCOL, TOKEN_SUBPROTOCOL + toBase64Url(token)];
  return new Given(url.href, shown);
}
