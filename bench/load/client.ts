/** Closed-loop clients: each sends a request, waits for the whole reply, and sends the next one. */

import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** One connection. `exchange` sends one request, or one batch, and resolves when the whole reply has arrived. */
export interface Client {
  exchange(): Promise<void>;
  close(): void;
}

/** @param isWhole whether the received text is a complete reply */
export async function rawClient(
  port: number,
  nextRequest: () => string,
  isWhole: (reply: Buffer) => boolean,
): Promise<Client> {
  const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  let reply: Buffer = Buffer.alloc(0);
  let waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  const fail = (error: Error): void => waiting?.reject(error);
  socket.on("data", (chunk: Buffer) => {
    reply = reply.length === 0 ? chunk : Buffer.concat([reply, chunk]);
    try {
      if (!isWhole(reply)) return;
    } catch (error) {
      fail(error as Error);
      return;
    }
    reply = Buffer.alloc(0);
    waiting?.resolve();
  });
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the server closed the connection")));
  return {
    exchange: () =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(nextRequest());
      }),
    close: () => {
      waiting = undefined;
      socket.destroy();
    },
  };
}

const LAST_CHUNK = Buffer.from("\r\n0\r\n\r\n");

/** Whether an HTTP/1.1 response is complete. @throws unless its status is 2xx */
export function isWholeResponse(reply: Buffer): boolean {
  const head = reply.indexOf("\r\n\r\n");
  if (head === -1) return false;
  const text = reply.toString("latin1", 0, head);
  if (!text.startsWith("HTTP/1.1 2")) throw new Error(`unexpected response: ${reply.toString()}`);
  // A streamed response ends with an empty chunk.
  if (/transfer-encoding: chunked/i.test(text)) return reply.subarray(-7).equals(LAST_CHUNK);
  const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
  return reply.length >= head + 4 + length;
}

/** Whether the received replies of the text protocol are exactly the expected ones. */
export function isWholeText(expected: string): (reply: Buffer) => boolean {
  return (reply) => {
    if (reply.length < expected.length) return false;
    if (reply.toString("latin1") !== expected) throw new Error(`unexpected reply: ${reply.toString()}`);
    return true;
  };
}

export async function webSocketClient(
  url: string,
  nextMessage: () => string,
  expected: string,
): Promise<Client> {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error(`can't connect to ${url}`)));
  });
  let waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  socket.addEventListener("message", ({ data }) => {
    if (data === expected) waiting?.resolve();
    else waiting?.reject(new Error(`unexpected reply: ${String(data)}`));
  });
  return {
    exchange: () =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.send(nextMessage());
      }),
    close: () => socket.close(),
  };
}
