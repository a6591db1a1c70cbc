/** The platform's WebSocket, or that of the package `ws` on Node 20, which has none. */

import type { KvOptions } from "../client/index.ts";

type WebSocketClass = NonNullable<KvOptions["WebSocket"]>;

export async function webSocketClass(): Promise<WebSocketClass> {
  const own = globalThis.WebSocket as WebSocketClass | undefined;
  if (own !== undefined) return own;
  const { WebSocket } = await import("ws");
  return WebSocket;
}
