/** Requests by hand: as bytes, which can be cut off anywhere. */

import { once } from "node:events";
import { connect } from "node:net";

/** A request, such as `PUT /path`, as it is on the wire. */
export function wire(request: string, value: Uint8Array, chunked: boolean): Buffer {
  const length = chunked ? "Transfer-Encoding: chunked" : `Content-Length: ${value.byteLength}`;
  const head = `${request} HTTP/1.1\r\nHost: localhost\r\n${length}\r\n\r\n`;
  if (!chunked) return Buffer.concat([Buffer.from(head), value]);
  const pieces = [Buffer.from(head)];
  for (let at = 0; at < value.byteLength; at += 100_000) {
    const piece = value.subarray(at, at + 100_000);
    pieces.push(Buffer.from(`${piece.byteLength.toString(16)}\r\n`), Buffer.from(piece), Buffer.from("\r\n"));
  }
  return Buffer.concat([...pieces, Buffer.from("0\r\n\r\n")]);
}

/** `gone`: the connection is destroyed. `ended`: only this side of it, and what comes back is waited for. */
export type Cut = "gone" | "ended";

/** Sends bytes and no more. @returns what came back. */
export async function sendAndCut(port: number, bytes: Uint8Array, cut: Cut): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  let answer = "";
  socket.on("data", (data) => (answer += String(data)));
  socket.on("error", () => undefined); // the other side may be the first to go
  await once(socket, "connect");
  const closed = once(socket, "close");
  if (cut === "ended") socket.end(bytes);
  else socket.write(bytes, () => socket.destroy());
  await closed;
  return answer;
}

/** Sends bytes and waits for the head of what comes back. */
export async function sendWhole(port: number, bytes: Uint8Array): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.write(bytes);
  const [answer] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return String(answer);
}
