/**
 * Invariant 8, before login. What a client without the token, or of another protocol, can make the server hold, read or
 * do is a small constant.
 */

import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer, type RunningServer } from "../e2e/support/server.ts";
import { openTcp, openWebSocket } from "../e2e/support/transports.ts";

const TOKEN = "correct horse battery staple";
let locked: RunningServer;
let open: RunningServer;
beforeAll(async () => {
  const few = { KV_MAX_CONNECTIONS: "8" };
  [locked, open] = await Promise.all([
    startServer({ environment: { KV_TOKEN: TOKEN, ...few } }),
    startServer({ environment: few }),
  ]);
});
afterAll(() => Promise.all([locked.stop(), open.stop()]));

/** Sends bytes on a connection of their own. @returns all that comes until the server closes it */
async function answerTo(port: number, bytes: string | Uint8Array): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += String(chunk)));
  socket.write(bytes);
  await once(socket, "close");
  return text;
}

describe("invariant 8: bounded before login", () => {
  it.each([
    ["whole", `PUT b k ${"x".repeat(5_000)}\nPING\n`],
    ["unfinished", "x".repeat(5_000)],
    ["in a crowd", `${"PING\n".repeat(3)}${"x".repeat(5_000)}\nPING\n`],
  ])("a line of more than 4 KiB ends the connection: %s", async (_, text) => {
    const answer = await answerTo(locked.tcpPort, text);
    expect(answer).toMatch(/^(PONG\r\n)*ERROR TOO_LONG Before AUTH [^\r\n]*\r\n$/);
  });

  it("a long line is accepted after the token in the same packet", async () => {
    const { ask, close } = await openTcp(locked.tcpPort);
    const value = "x".repeat(100_000);
    expect(await ask(`AUTH "${TOKEN}"\nCREATE long\nPUT long k ${value}\n`, 3)).toBe("OK\r\nOK\r\nOK\r\n");
    close();
  });

  it("the third wrong token ends the connection, and the log says so without the token", async () => {
    const wrong = "AUTH not-the-token\n".repeat(20_000);
    const answer = await answerTo(locked.tcpPort, `${wrong}AUTH "${TOKEN}"\nBUCKETS\n`);
    expect(answer).toBe("ERROR UNAUTHORIZED\r\n".repeat(3));
    await locked.prints(/auth: 3 wrong tokens from 127\.0\.0\.1:\d+, connection closed/);
    expect(locked.output()).not.toContain("not-the-token");
    expect(locked.output()).not.toContain(TOKEN);
  });

  it("a quarter of the places is for strangers: one too many is refused, and clients with the token go on", async () => {
    const { ask, close } = await openTcp(locked.tcpPort);
    expect(await ask(`AUTH "${TOKEN}"\n`, 1)).toBe("OK\r\n");
    const strangers = [await openTcp(locked.tcpPort), await openTcp(locked.tcpPort)];
    for (const stranger of strangers) expect(await stranger.ask("PING\n", 1)).toBe("PONG\r\n");
    expect(await answerTo(locked.tcpPort, "")).toMatch(/^ERROR TOO_MANY_CONNECTIONS [^\r\n]+\r\n$/);
    expect(await ask("PING\n", 1)).toBe("PONG\r\n");
    expect((await fetch(`${locked.http}/healthz`)).status).toBe(200);
    for (const stranger of [...strangers, { close }]) stranger.close();
  });
});

describe("connections", () => {
  it("beyond the limit are refused, on TCP with a line, over HTTP with 503, and the others go on", async () => {
    await fetch(`${open.http}/v1/buckets/full`, { method: "PUT" });
    const those = await Promise.all(Array.from({ length: 8 }, () => openTcp(open.tcpPort)));
    for (const one of those) expect(await one.ask("PING\n", 1)).toBe("PONG\r\n");
    expect(await answerTo(open.tcpPort, "")).toMatch(/^ERROR TOO_MANY_CONNECTIONS [^\r\n]+\r\n$/);
    for (const path of ["/v1/events", "/v1/buckets/full/watch", "/v1/buckets/full/monitor"]) {
      const response = await fetch(`${open.http}${path}`);
      expect([path, response.status, await response.json()]).toMatchObject([
        path,
        503,
        { code: "too_many_connections" },
      ]);
    }
    expect((await fetch(`${open.http}/v1/buckets/full/keys/k`, { method: "PUT", body: "1" })).status).toBe(
      201,
    );
    expect(await those[0]?.ask("GET full k\n", 2)).toBe("1\r\nOK\r\n");
    for (const one of those) one.close();
    for (const one of those) await one.rest();
    // Their places are free as soon as the server has seen them go.
    await expect.poll(async () => (await fetch(`${open.http}/v1/buckets/full/watch`)).status).toBe(200);
  });
});

describe("a WebSocket's handshake", () => {
  it("that is incomplete takes no place", async () => {
    const half =
      "Host: 127.0.0.1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nConnection: close\r\n\r\n";
    for (let n = 0; n < 20; n += 1) {
      expect(await answerTo(open.httpPort, `GET /v1/connect HTTP/1.1\r\n${half}`)).toMatch(
        /^HTTP\/1\.1 426 /,
      );
    }
    const { ask, close } = await openWebSocket(`ws://127.0.0.1:${open.httpPort}/v1/connect`);
    expect(await ask("PING", 1)).toBe("PONG\r\n");
    close();
  });
});

describe("an incomplete WebSocket handshake", () => {
  const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const version = "Sec-WebSocket-Version: 13\r\n";
  const half: readonly (readonly [string, string])[] = [
    ["without a connection", key + version],
    ["without a key", `${version}Connection: close, Upgrade\r\n`],
    ["with an empty key", `Sec-WebSocket-Key:\r\n${version}Connection: close, Upgrade\r\n`],
    ["of another version", `${key}Sec-WebSocket-Version: 8\r\nConnection: close, Upgrade\r\n`],
    ["without a version", `${key}Connection: close, Upgrade\r\n`],
  ];
  const paths = [
    "/v1/connect",
    "/v1/buckets/full/session",
    "/v1/buckets/full/connect",
    "/v1/buckets/full/watch",
  ];

  it.each(half)("is answered with a problem document on every path: %s", async (_, headers) => {
    await fetch(`${open.http}/v1/buckets/full`, { method: "PUT" });
    for (const path of paths) {
      const socket = connect(open.httpPort, "127.0.0.1");
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n${headers}\r\n`);
      const [bytes] = (await once(socket, "data")) as [Buffer];
      socket.destroy();
      expect([path, String(bytes)]).toEqual([
        path,
        expect.stringMatching(/^HTTP\/1\.1 426 [^]*Content-Type: application\/problem\+json\r\n/),
      ]);
    }
  });
});

describe("another protocol", () => {
  it.each([
    ["TLS", Buffer.from("160301\x0aPUT foreign k tls\x0a".replace(/^160301/, "\x16\x03\x01"), "latin1")],
    ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nPUT foreign k h2\r\n"],
    ["HTTP in small letters", "get /x\nPUT foreign k get\n"],
    ["OPTIONS of everything", "OPTIONS *\nPUT foreign k options\n"],
    ["SIP", "OPTIONS sip:nm SIP/2.0\r\nPUT foreign k sip\r\n"],
    ["Redis", "*1\r\nPUT foreign k redis\r\n"],
  ])("closes the connection with one line, and nothing behind it is run: %s", async (_, bytes) => {
    await fetch(`${open.http}/v1/buckets/foreign`, { method: "PUT" });
    expect(await answerTo(open.tcpPort, bytes)).toMatch(/^ERROR WRONG_PROTOCOL [^\r\n]+\r\n$/);
    expect((await fetch(`${open.http}/v1/buckets/foreign/keys/k`)).status).toBe(404);
  });

  it("can't be reached through HTTP's CONNECT, which is refused", async () => {
    for (const { httpPort } of [open, locked]) {
      const request = "CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\nCREATE tunnelled\r\n";
      expect(await answerTo(httpPort, request)).toMatch(/^HTTP\/1\.1 [45]\d\d /);
    }
    expect((await fetch(`${open.http}/v1/buckets/tunnelled`)).status).toBe(404);
  });
});
