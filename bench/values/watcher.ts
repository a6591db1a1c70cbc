/** A minimal watcher on a WebSocket that only counts events, so that five hundred of them need little CPU. */

import { once } from "node:events";
import { connect } from "node:net";

export interface Watcher {
  /** Resolves when it has received this many puts. */
  seen(puts: number): Promise<void>;
}

const PUT = Buffer.from('"event":"put"');
const BEGIN = Buffer.from('"event":"begin"');
/** An empty text message, masked with zeros, which acknowledges everything received. */
const ACK = Buffer.from([0x81, 0x80, 0, 0, 0, 0]);
/** Received bytes after which it sends an ack. */
const ACK_AFTER_BYTES = 65_536;
const TEXT_OR_CONTINUATION = 2;

/** Opens a watch. It counts from the moment at which this resolves. */
export async function watch(port: number, path: string): Promise<Watcher> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  let puts = 0;
  let unacked = 0;
  let begun = false;
  let upgraded = false;
  let failure: Error | undefined;
  let rest: Buffer = Buffer.alloc(0);
  let wake = (): void => undefined;

  const take = (payload: Buffer): void => {
    for (let at = payload.indexOf(PUT); at !== -1; at = payload.indexOf(PUT, at + PUT.length)) puts += 1;
    begun ||= payload.includes(BEGIN);
  };
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) {
      if (failure !== undefined) throw failure;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const fail = (error: Error): void => {
    failure = error;
    wake();
  };

  socket.on("data", (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (!upgraded) {
      const head = rest.indexOf("\r\n\r\n");
      if (head === -1) return;
      if (!rest.toString("latin1", 0, head).startsWith("HTTP/1.1 101")) {
        fail(new Error(`no WebSocket: ${rest.toString()}`));
        return;
      }
      upgraded = true;
      rest = rest.subarray(head + 4);
    }
    for (let frame = frameOf(rest); frame !== undefined; frame = frameOf(rest)) {
      if (frame.opcode >= TEXT_OR_CONTINUATION) {
        fail(new Error(`the server sent a frame that is not text: ${frame.opcode}`));
        return;
      }
      take(frame.payload);
      unacked += frame.payload.length;
      rest = rest.subarray(frame.length);
    }
    if (unacked >= ACK_AFTER_BYTES) {
      unacked = 0;
      socket.write(ACK);
    }
    wake();
  });
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the server closed the connection")));

  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YSBuZXcgb25lIGVhY2ghIQ==\r\n\r\n",
  );
  await until(() => begun);
  return { seen: (count) => until(() => puts >= count) };
}

/** The first frame, if it is complete. A server's frames are not masked (RFC 6455 §5.2). */
function frameOf(
  bytes: Buffer,
): { readonly opcode: number; readonly payload: Buffer; readonly length: number } | undefined {
  if (bytes.length < 2) return undefined;
  const opcode = bytes.readUInt8(0) & 0x0f;
  const short = bytes.readUInt8(1);
  const head = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < head) return undefined;
  const size = head === 2 ? short : head === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  const length = head + size;
  if (bytes.length < length) return undefined;
  return { opcode, payload: bytes.subarray(head, length), length };
}
