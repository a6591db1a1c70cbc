/** Opens WebSockets to the service. */

import { toBase64Url } from "./base64.ts";
import { KvError } from "./errors.ts";

/** The part of a WebSocket that the client uses. The platform's has it, and so has the one of the package `ws`. */
export interface Socket {
  /** Calls the listener when the socket has opened, has closed, or has failed. */
  addEventListener(type: "open" | "close" | "error", listener: () => void): void;
  /** Calls the listener with each message. */
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  /** Sends text. */
  send(data: string): void;
  /** Closes the socket. */
  close(): void;
}
/** A WebSocket class: the platform's, or the one of the package `ws`. */
export type WebSocketClass = new (url: string, protocols?: string[]) => Socket;

/** The platform's WebSocket type, if it has one; the types of Node 20 have none. */
export type PlatformSocket = typeof globalThis extends { WebSocket: { prototype: infer Own } } ? Own : Socket;

/** The subprotocol that the service selects. */
const SUBPROTOCOL = "kv";
/** Prefix of the token, which is a second subprotocol: browsers can't set headers on a WebSocket. */
const TOKEN_SUBPROTOCOL = "kv.bearer.";

/** @throws {KvError} `websocket_missing` if the platform has no WebSocket (Node 20) and none was passed */
export function openSocket(
  address: URL,
  token: string | undefined,
  Given: WebSocketClass | undefined = globalThis.WebSocket,
): Socket {
  if (Given === undefined) {
    throw new KvError(
      "websocket_missing",
      "This platform has no WebSocket. Pass one to the client: new Kv({ url, WebSocket }).",
    );
  }
  const url = new URL(address);
  url.protocol = url.protocol.replace("http", "ws");
  const shown = token === undefined ? [] : [SUBPROTOCOL, TOKEN_SUBPROTOCOL + toBase64Url(token)];
  return new Given(url.href, shown);
}
