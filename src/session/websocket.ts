/** A WebSocket at the Worker that speaks the text protocol with any bucket. */

import { Interpreter, type Admission } from "../command/run.ts";
import { answerMessage, CLOSE_TRY_AGAIN, send } from "../command/text-socket.ts";
import { Serial } from "../otp/serial.ts";
import type { Directory } from "../registry/directory.ts";
import { Feeds } from "./feeds.ts";
import { directoryService } from "./service.ts";

/** Characters or bytes of messages that may wait behind the one that is being answered. */
const MAX_WAITING = 32 * 1_048_576;

/** Accepts a connection. @returns the end that goes to the client. */
export function acceptWebSocket(directory: Directory, admission: Admission): WebSocket {
  const { 0: client, 1: server } = new WebSocketPair();
  server.binaryType = "arraybuffer";
  server.accept();
  const feeds = new Feeds(
    (text) => send(server, text),
    () => server.close(CLOSE_TRY_AGAIN, "slow_reader"),
  );
  const service = directoryService(directory, (bucket, feed) => feeds.add(bucket, feed));
  const interpreter = new Interpreter(service, admission);
  const turns = new Serial<WebSocket>();
  let waiting = 0;

  server.addEventListener("message", ({ data }: { data: string | ArrayBuffer }) => {
    const size = typeof data === "string" ? data.length : data.byteLength;
    if (waiting + size > MAX_WAITING) {
      server.close(CLOSE_TRY_AGAIN, "too many messages before their replies");
      return;
    }
    waiting += size;
    turns
      .run(server, async () => {
        if (!interpreter.closed) await answerMessage(server, interpreter, data);
      })
      .catch((error: unknown) => console.error("websocket", error))
      .finally(() => (waiting -= size));
  });
  const end = (): void => feeds.closeAll();
  server.addEventListener("close", end);
  server.addEventListener("error", end);
  return client;
}
