/** Serves the text protocol for all buckets on a WebSocket at the Worker. */

import { CLOSE_RESTART, CLOSE_TRY_AGAIN } from "../lib/close-codes.ts";
import { Interpreter, type Admission } from "../text/interpreter.ts";
import { Conversations } from "../text/conversations.ts";
import { connections } from "../lib/connections.ts";
import { tooManyConnections } from "../model/errors.ts";
import type { Directory } from "../directory/directory.ts";
import { SocketFlow } from "../lib/socket-flow.ts";
import { Feeds } from "./feeds.ts";
import { ConnectionMonitors } from "./monitors.ts";
import { directoryService } from "./service.ts";

/** The flow control of all such WebSockets of the isolate. */
const flow = new SocketFlow();

const abandoned = new FinalizationRegistry((leave: () => void) => leave());

/**
 * Accepts a connection. @returns the client's end of the WebSocket
 * @throws {KvError} `too_many_connections`
 */
export function acceptWebSocket(directory: Directory, admission: Admission): WebSocket {
  const { 0: client, 1: server } = new WebSocketPair();
  const place = connections.enter({ goodbye: () => server.close(CLOSE_RESTART, "server_stopping") });
  if (place === undefined) throw tooManyConnections();
  // If the client goes away before the response to its upgrade, this end gets no event: its place is freed when it is
  // garbage-collected.
  abandoned.register(server, () => place.leave());
  server.binaryType = "arraybuffer";
  server.accept();
  const conversations = new Conversations(flow);
  const offer = (text: string): boolean => conversations.push(server, text);
  const tooSlow = (): void => server.close(CLOSE_TRY_AGAIN, "slow_reader");
  const feeds = new Feeds(offer, tooSlow);
  const monitors = new ConnectionMonitors(directory, offer, tooSlow);
  const service = directoryService(directory, { feeds, monitors });
  const interpreter = new Interpreter(service, admission);

  server.addEventListener("message", ({ data }: { data: string | ArrayBuffer }) => {
    conversations
      .answer(server, data, interpreter)
      .catch((error: unknown) => console.error("websocket", error));
  });
  const end = (): void => {
    place.leave();
    conversations.forget(server);
    feeds.closeAll();
    monitors.closeAll();
  };
  server.addEventListener("close", end);
  server.addEventListener("error", end);
  return client;
}
