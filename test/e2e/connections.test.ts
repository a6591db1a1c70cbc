/** What connections meet in the wild: packets anywhere, readers that do not read, clients that vanish. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer, type RunningServer } from "./support/server.ts";
import { openTcp, openWebSocket, type TcpConversation } from "./support/transports.ts";

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

describe("a TCP connection", () => {
  it("takes a command in pieces, byte by byte", async () => {
    const { ask, send, take, close } = await openTcp(server.tcpPort);
    await ask("CREATE pieces\n", 1);
    for (const byte of Buffer.from("PUT pieces kéy 日本\r\nGET pieces kéy\r\n")) {
      send(Uint8Array.of(byte));
      // A round trip on another connection sees to it that the bytes do not all arrive as one packet.
      await fetch(`${server.http}/healthz`);
    }
    expect(await take(3)).toBe("OK\r\n日本\r\nOK\r\n");
    close();
  });

  it("takes bytes that are no UTF-8 as a value, and not as a key", async () => {
    const { send, take, close } = await openTcp(server.tcpPort);
    send("CREATE raw\n");
    send(
      Buffer.concat([
        Buffer.from("PUT raw k "),
        Buffer.from([0xff, 0x0a]),
        Buffer.from("GET raw k\nGET raw "),
      ]),
    );
    send(Buffer.from([0xff, 0x0a]));
    expect(await take(5)).toMatch(/^OK\r\nOK\r\nbase64:"\/w=="\r\nOK\r\nERROR KEY_INVALID [^\r\n]+\r\n$/);
    close();
  });

  it("keeps the order of replies among many buckets", async () => {
    const { ask, close } = await openTcp(server.tcpPort);
    const names = Array.from({ length: 12 }, (_, index) => `order-${index}`);
    await ask(names.map((name) => `CREATE ${name}\n`).join(""), names.length);
    const puts = Array.from({ length: 600 }, (_, index) => [names[(index * 7) % 12], index] as const);
    await ask(puts.map(([name, index]) => `PUT ${name} k${index} v${index}\n`).join(""), puts.length);
    const replies = await ask(
      puts.map(([name, index]) => `GET ${name} k${index}\n`).join(""),
      puts.length * 2,
    );
    expect(replies).toBe(puts.map(([, index]) => `v${index}\r\nOK\r\n`).join(""));
    close();
  });

  it("drops a command that the end of the connection cuts off", async () => {
    const first = await openTcp(server.tcpPort);
    await first.ask("CREATE cut\nPUT cut n 10\n", 2);
    first.socket.end("PUT cut n 1");
    await first.rest();
    const second = await openTcp(server.tcpPort);
    expect(await second.ask("GET cut n\n", 2)).toBe("10\r\nOK\r\n");
    second.close();
  });

  it("answers a line that is too long with its code, and closes", async () => {
    const { send, rest, ask, socket } = await openTcp(server.tcpPort);
    await ask("CREATE long\n", 1);
    send(`PUT long k ${"x".repeat(3 * 1_048_576)}`);
    expect(await rest()).toMatch(/^ERROR TOO_LONG [^\r\n]+\r\n$/);
    socket.destroy();
    const other = await openTcp(server.tcpPort);
    expect(await other.ask("GET long k\n", 2)).toBe("\r\nOK\r\n");
    other.close();
  });

  it("carries a value of exactly a megabyte, and refuses one byte more without losing step", async () => {
    const { ask, close } = await openTcp(server.tcpPort);
    await ask("CREATE big\n", 1);
    const value = "x".repeat(1_048_576);
    expect(await ask(`PUT big k ${value}\n`, 1)).toBe("OK\r\n");
    expect(await ask(`PUT big k ${value}x\nPING\n`, 2)).toMatch(
      /^ERROR VALUE_TOO_LARGE [^\r\n]+\r\nPONG\r\n$/,
    );
    expect(await ask("GET big k\n", 2)).toBe(`${value}\r\nOK\r\n`);
    close();
  });

  it("after QUIT is closed by the server, and what came behind QUIT is not run", async () => {
    const { send, rest } = await openTcp(server.tcpPort);
    send("CREATE quit\nQUIT\nSTOP quit\n");
    expect(await rest()).toBe("OK\r\nOK\r\n");
    expect((await fetch(`${server.http}/v1/buckets/quit`)).status).toBe(200);
  });

  it("that a browser was tricked into opening runs nothing", async () => {
    const { send, rest } = await openTcp(server.tcpPort);
    send("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n\r\nCREATE tricked\r\n");
    expect(await rest()).toMatch(/^ERROR WRONG_PROTOCOL [^\r\n]+\r\n$/);
    expect((await fetch(`${server.http}/v1/buckets/tricked`)).status).toBe(404);
  });
});

describe("a client that does not read", () => {
  it("is not buffered without bound: the server reads no further commands of it", async () => {
    const { ask, socket, send } = await openTcp(server.tcpPort);
    await ask("CREATE slow\n", 1);
    await ask(`PUT slow k ${"x".repeat(1_000_000)}\n`, 1);
    const before = await server.memory();
    socket.pause();
    // Two gigabytes of replies are asked for. One round trip after the other lets the server go as far as it will.
    send("GET slow k\n".repeat(2_000));
    for (let round = 0; round < 200; round += 1) await fetch(`${server.http}/healthz`);
    const grown = (await server.memory()) - before;
    console.log(`a reader that does not read: ${grown.toFixed(0)} MB more in the server`);
    expect(grown).toBeLessThan(200);
    socket.destroy();
  });

  it("of a feed is cut off, and does not stop those who write", async () => {
    const [slow, writer] = [await openTcp(server.tcpPort), await openTcp(server.tcpPort)];
    await writer.ask("CREATE slow-feed\n", 1);
    await slow.ask("SUBSCRIBE slow-feed\nPING\n", 1);
    slow.socket.pause();
    await writeMegabytes(writer, "slow-feed", 20);
    slow.socket.resume();
    const heard = (await slow.rest()).split("\r\n").length - 1;
    console.log(`a feed that was not read for 200 changes of 100 kB: ${heard} of them, then cut off`);
    expect(heard).toBeLessThan(200);
    writer.close();
  });

  it.each(["/v1/connect", "/v1/buckets/slow-ws/connect"])(
    "of a feed over the WebSocket at %s is cut off, and one that says PING is not",
    async (path) => {
      const writer = await openTcp(server.tcpPort);
      await writer.ask("CREATE slow-ws\n", 1);
      const url = `ws://127.0.0.1:${server.httpPort}${path}`;
      const [silent, alive] = [await openWebSocket(url), await openWebSocket(url)];
      await Promise.all([silent, alive].map(({ ask }) => ask("SUBSCRIBE slow-ws\nPING", 1)));
      // More than the thirty-two megabytes that may be unread.
      for (let round = 0; round < 3; round += 1) {
        await writeMegabytes(writer, "slow-ws", 12);
        alive.socket.send("PING");
        expect(await alive.take(121)).toContain("PONG\r\n");
      }
      expect(await silent.closed).toBe(1013);
      alive.close();
      writer.close();
    },
  );

  /** Changes a key, 100 kB at a time. */
  async function writeMegabytes(writer: TcpConversation, bucket: string, megabytes: number): Promise<void> {
    const value = "x".repeat(100_000);
    for (let round = 0; round < megabytes; round += 1) {
      expect(await writer.ask(`PUT ${bucket} k ${value}\n`.repeat(10), 10)).toBe("OK\r\n".repeat(10));
    }
  }
});

describe("a WebSocket", () => {
  it.each(["/v1/connect", "/v1/buckets/ws/connect"])(
    "at %s gets one message back for each message",
    async (path) => {
      await fetch(`${server.http}/v1/buckets/ws`, { method: "PUT" });
      const { socket, close } = await openWebSocket(`ws://127.0.0.1:${server.httpPort}${path}`);
      const messages: string[] = [];
      const three = new Promise<void>((resolve) => {
        socket.addEventListener("message", ({ data }) => {
          messages.push(String(data));
          if (messages.length === 3) resolve();
        });
      });
      socket.send("PUT ws a 1\nGET ws a\nGET ws b");
      socket.send(new TextEncoder().encode("GET ws a\r\n"));
      socket.send("");
      await three;
      expect(messages).toEqual(["OK\r\n1\r\nOK\r\n\r\nOK\r\n", "1\r\nOK\r\n", "UNKNOWN COMMAND\r\n"]);
      close();
    },
  );

  it.each(["/v1/connect", "/v1/buckets/ws/connect"])(
    "at %s is closed after QUIT, and after a line too long",
    async (path) => {
      await fetch(`${server.http}/v1/buckets/ws`, { method: "PUT" });
      const url = `ws://127.0.0.1:${server.httpPort}${path}`;
      const quits = await openWebSocket(url);
      expect(await quits.ask("QUIT", 1)).toBe("OK\r\n");
      expect(await quits.closed).toBe(1000);
      const long = await openWebSocket(url);
      expect(await long.ask(`PUT ws k ${"x".repeat(3 * 1_048_576)}`, 1)).toMatch(/^ERROR TOO_LONG /);
      expect(await long.closed).toBe(1009);
    },
  );
});

describe("a WebSocket that its client closes", () => {
  it.each(["/v1/connect", "/v1/buckets/ws/connect"])("at %s is closed by the server too", async (path) => {
    await fetch(`${server.http}/v1/buckets/ws`, { method: "PUT" });
    for (const code of [undefined, 1000, 3001]) {
      const { ask, socket, closed } = await openWebSocket(`ws://127.0.0.1:${server.httpPort}${path}`);
      await ask("PING", 1);
      socket.close(code);
      // Without a code there is none to send back, so the answer is the normal one, or none either.
      expect(code === undefined ? [1000, 1005] : [code]).toContain(await closed);
    }
  });
});

describe("a body of commands", () => {
  it("is answered as a stream, however long", async () => {
    const lines = [
      "CREATE body",
      ...Array.from({ length: 5_000 }, (_, index) => `PUT body k${index} v${index}`),
    ];
    const response = await fetch(`${server.http}/v1/commands`, { method: "POST", body: lines.join("\n") });
    expect(response.headers.get("Content-Type")).toBe("text/plain; charset=utf-8");
    expect(await response.text()).toBe("OK\r\n".repeat(5_001));
  });

  it("that is empty has no command, and no reply", async () => {
    const response = await fetch(`${server.http}/v1/commands`, { method: "POST" });
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });
});
