/** Clients that send what is no frame on a bucket's own sockets. */

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer, type RunningServer } from "../e2e/support/server.ts";

const PLACES = 12;
/** A frame of an opcode that there is none of (RFC 6455 §5.2). */
const BAD_FRAME = Buffer.from([0x83, 0x81, 1, 2, 3, 4, 5]);
const CLOSE_FRAME = 0x88;

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ tcp: false, environment: { KV_MAX_CONNECTIONS: String(PLACES) } });
  await fetch(`${server.http}/v1/buckets/framed`, { method: "PUT" });
});
afterAll(() => server.stop());

/** Opens a WebSocket by hand. @returns it, and the first line of the answer */
async function open(path: string): Promise<{ readonly socket: Socket; readonly answer: string }> {
  const socket = connect(server.httpPort, "127.0.0.1");
  const upgrade = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}`;
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${upgrade}\r\nSec-WebSocket-Version: 13\r\n\r\n`);
  const [bytes] = (await once(socket, "data")) as [Buffer];
  return { socket, answer: String(bytes).split("\r\n", 1)[0] ?? "" };
}

/** Sends what is no frame, and goes when the server has said that it is none. @returns how the upgrade was answered */
async function sendBadFrame(path: string): Promise<string> {
  const { socket, answer } = await open(path);
  if (answer.includes("101")) {
    socket.write(BAD_FRAME);
    for (;;) {
      const [bytes] = (await once(socket, "data")) as [Buffer];
      if (bytes.includes(CLOSE_FRAME)) break;
    }
  }
  socket.destroy();
  return answer;
}

describe("clients that send what is no frame on a bucket's own sockets", () => {
  it("have their places taken back, however many they are, and the bucket is what it was", async () => {
    await fetch(`${server.http}/v1/buckets/framed/keys/k`, { method: "PUT", body: "1" });
    const answers: string[] = [];
    for (let n = 0; n < 3 * PLACES; n += 1) {
      const kind = ["connect", "session", "watch"][n % 3];
      answers.push(await sendBadFrame(`/v1/buckets/framed/${kind}`));
    }
    // The engine keeps each connection until its socket is collected, or its object made anew.
    expect(new Set(answers)).toEqual(new Set(["HTTP/1.1 101 Switching Protocols"]));
    expect(await (await fetch(`${server.http}/v1/buckets/framed/keys/k`)).text()).toBe("1");
    expect(await (await fetch(`${server.http}/v1/buckets/framed`)).json()).toMatchObject({ restarts: 0 });
  });
});
