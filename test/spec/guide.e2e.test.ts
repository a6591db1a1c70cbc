/** The guide's server tests, under their own names, and the real clients of a terminal. */

import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { server } from "../e2e/support/shared-server.ts";
import { openTcp, openWebSocket } from "../e2e/support/transports.ts";

const run = promisify(execFile);

describe("KVServerTest", () => {
  it("server interaction", async () => {
    const { ask, close } = await openTcp(server.tcpPort);
    expect(await ask("UNKNOWN shopping\r\n", 1)).toBe("UNKNOWN COMMAND\r\n");
    expect(await ask("GET shopping eggs\r\n", 1)).toBe("NOT FOUND\r\n");
    expect(await ask("CREATE shopping\r\n", 1)).toBe("OK\r\n");
    expect(await ask("PUT shopping eggs 3\r\n", 1)).toBe("OK\r\n");
    // GET returns two lines
    expect(await ask("GET shopping eggs\r\n", 1)).toBe("3\r\n");
    expect(await ask("", 1)).toBe("OK\r\n");
    expect(await ask("DELETE shopping eggs\r\n", 1)).toBe("OK\r\n");
    // GET returns two lines
    expect(await ask("GET shopping eggs\r\n", 1)).toBe("\r\n");
    expect(await ask("", 1)).toBe("OK\r\n");
    close();
  });

  it("unknown command", async () => {
    const { ask, close } = await openTcp(server.tcpPort);
    expect(await ask("WHATEVER\r\n", 1)).toBe("UNKNOWN COMMAND\r\n");
    close();
  });

  it("unknown bucket", async () => {
    const { ask, close } = await openTcp(server.tcpPort);
    expect(await ask("GET whatever eggs\r\n", 1)).toBe("NOT FOUND\r\n");
    close();
  });

  it("subscribes to puts and deletes", async () => {
    const subscriber = await openTcp(server.tcpPort);
    const other = await openTcp(server.tcpPort);
    await other.ask("CREATE guide-feed\r\n", 1);
    subscriber.send("SUBSCRIBE guide-feed\r\n");
    // SUBSCRIBE has no reply, and commands are answered in order: after PONG it has taken effect.
    expect(await subscriber.ask("PING\r\n", 1)).toBe("PONG\r\n");
    await other.ask("PUT guide-feed milk 3\r\nDELETE guide-feed milk\r\nDELETE guide-feed milk\r\n", 3);
    expect(await subscriber.take(2)).toBe("milk SET TO 3\r\nmilk DELETED\r\n");
    subscriber.close();
    other.close();
  });
});

describe("SUBSCRIBE", () => {
  it.each(["/v1/connect", "/v1/buckets/guide-feed-ws/connect"])(
    "works over a WebSocket at %s",
    async (path) => {
      await fetch(`${server.http}/v1/buckets/guide-feed-ws`, { method: "DELETE" });
      const other = await openTcp(server.tcpPort);
      await other.ask("CREATE guide-feed-ws\n", 1);
      const subscriber = await openWebSocket(`ws://127.0.0.1:${server.httpPort}${path}`);
      expect(await subscriber.ask("SUBSCRIBE guide-feed-ws\nPING", 1)).toBe("PONG\r\n");
      await other.ask('PUT guide-feed-ws "a key" "two words"\nINCR guide-feed-ws n 2\n', 3);
      expect(await subscriber.take(2)).toBe('"a key" SET TO two words\r\nn SET TO 2\r\n');
      // What comes by HTTP is heard too, bytes and all.
      await fetch(`${server.http}/v1/buckets/guide-feed-ws/keys/b`, {
        method: "PUT",
        body: new Uint8Array([255]),
      });
      await fetch(`${server.http}/v1/buckets/guide-feed-ws/keys/b`, { method: "DELETE" });
      expect(await subscriber.take(2)).toBe('b SET TO base64:"/w=="\r\nb DELETED\r\n');
      subscriber.close();
      other.close();
    },
  );

  it("hears each change once and in order, among the replies to its own commands", async () => {
    const [subscriber, other] = [await openTcp(server.tcpPort), await openTcp(server.tcpPort)];
    await other.ask("CREATE guide-feed-order\n", 1);
    await subscriber.ask("SUBSCRIBE guide-feed-order\nSUBSCRIBE guide-feed-order\nPING\n", 1);
    const puts = Array.from({ length: 300 }, (_, index) => `PUT guide-feed-order k ${index}\n`);
    const pings = subscriber.ask("PING\n".repeat(50), 0);
    await Promise.all([other.ask(puts.join(""), 300), pings]);
    const lines = (await subscriber.take(350)).split("\r\n").filter((line) => line !== "");
    expect(lines.filter((line) => line === "PONG")).toHaveLength(50);
    expect(lines.filter((line) => line !== "PONG")).toEqual(puts.map((_, index) => `k SET TO ${index}`));
    subscriber.close();
    other.close();
  });

  it("to an unknown bucket is NOT FOUND, and over HTTP it is an error", async () => {
    const { ask, close } = await openTcp(server.tcpPort);
    expect(await ask("SUBSCRIBE guide-nowhere\n", 1)).toBe("NOT FOUND\r\n");
    close();
    const response = await fetch(`${server.http}/v1/commands`, {
      method: "POST",
      body: "SUBSCRIBE guide-nowhere",
    });
    expect(await response.text()).toMatch(/^ERROR NEEDS_CONNECTION /);
  });

  it("says so when the bucket ends", async () => {
    const { ask, send, take, close } = await openTcp(server.tcpPort);
    await ask("CREATE guide-feed-ends\n", 1);
    await ask("SUBSCRIBE guide-feed-ends\nPING\n", 1);
    send("STOP guide-feed-ends\n");
    const lines = await take(2);
    expect(lines).toMatch(/^OK\r$/m);
    expect(lines).toMatch(/^ERROR SUBSCRIPTION_LOST /m);
    close();
  });
});

describe("a bucket's own WebSocket", () => {
  it("serves the guide's commands, and no other bucket's", async () => {
    await fetch(`${server.http}/v1/buckets/guide-direct`, { method: "PUT" });
    const { ask, close } = await openWebSocket(
      `ws://127.0.0.1:${server.httpPort}/v1/buckets/guide-direct/connect`,
    );
    expect(
      await ask("CREATE guide-direct\nPUT guide-direct milk 1\nGET guide-direct milk\nKEYS guide-direct", 6),
    ).toBe("OK\r\nOK\r\n1\r\nOK\r\nmilk\r\nOK\r\n");
    expect(await ask("GET guide-other milk", 1)).toMatch(/^ERROR WRONG_BUCKET /);
    expect(await ask("BUCKETS", 1)).toMatch(/^ERROR WRONG_BUCKET /);
    expect(await ask("LOOKUP guide-direct", 2)).toMatch(/^[0-9a-f]{64}\r\nOK\r\n$/);
    close();
  });

  it("answers STOP, then closes, and the name is free", async () => {
    await fetch(`${server.http}/v1/buckets/guide-direct-stop`, { method: "PUT" });
    const url = `ws://127.0.0.1:${server.httpPort}/v1/buckets/guide-direct-stop/connect`;
    const [mine, idle] = [await openWebSocket(url), await openWebSocket(url)];
    // The close frame reaches any socket at once, but workerd takes ten seconds to end the TCP connection of
    // one that never had a message.
    await idle.ask("PING", 1);
    expect(await mine.ask("STOP guide-direct-stop\nPUT guide-direct-stop milk 1", 2)).toBe(
      "OK\r\nNOT FOUND\r\n",
    );
    expect(await Promise.all([mine.closed, idle.closed])).toEqual([1001, 1001]);
    expect((await fetch(`${server.http}/v1/buckets/guide-direct-stop`)).status).toBe(404);
  });

  it("acknowledges nothing for a bucket that has ended", async () => {
    await fetch(`${server.http}/v1/buckets/guide-direct-dead`, { method: "PUT" });
    const { ask, closed } = await openWebSocket(
      `ws://127.0.0.1:${server.httpPort}/v1/buckets/guide-direct-dead/connect`,
    );
    const lines = [
      "PUT guide-direct-dead k 1",
      "STOP guide-direct-dead",
      "CREATE guide-direct-dead",
      "LOOKUP guide-direct-dead",
    ];
    const replies = await ask(
      [...lines, "SUBSCRIBE guide-direct-dead", "GET guide-direct-dead k", "CREATE guide-other"].join("\n"),
      7,
    );
    expect(replies).toMatch(
      /^OK\r\nOK\r\nERROR BUCKET_NOT_FOUND [^\r]+\r\nNOT FOUND\r\nNOT FOUND\r\nNOT FOUND\r\nERROR WRONG_BUCKET [^\r]+\r\n$/,
    );
    expect(await closed).toBe(1001);
    expect((await fetch(`${server.http}/v1/buckets/guide-direct-dead`)).status).toBe(404);
  });

  it("is refused for a bucket that does not exist", async () => {
    await expect(
      openWebSocket(`ws://127.0.0.1:${server.httpPort}/v1/buckets/guide-nowhere/connect`),
    ).rejects.toThrow("refused");
  });
});

describe("other clients", () => {
  it("curl", async () => {
    const url = `${server.http}/v1/buckets/guide-curled`;
    const curl = async (...args: readonly string[]): Promise<string> =>
      (await run("curl", ["-s", ...args])).stdout;
    expect(await curl("-X", "PUT", "-o", "/dev/null", "-w", "%{http_code}", url)).toBe("201");
    expect(
      await curl("-X", "PUT", "-d", "1", "-o", "/dev/null", "-w", "%{http_code}", `${url}/keys/milk`),
    ).toBe("201");
    expect(await curl(`${url}/keys/milk`)).toBe("1");
    expect(await curl("--data-binary", "GET guide-curled milk\n", `${server.http}/v1/commands`)).toBe(
      "1\r\nOK\r\n",
    );
    // A body of unknown length.
    const chunked = ["-T", "-", `${url}/keys/chunked`, "-H", "Transfer-Encoding: chunked"];
    const upload = spawn("curl", ["-s", ...chunked], { stdio: ["pipe", "ignore", "ignore"] });
    upload.stdin.end("in chunks");
    await new Promise((resolve) => upload.once("exit", resolve));
    expect(await curl(`${url}/keys/chunked`)).toBe("in chunks");
  });

  it.runIf(existsSync("/bin/nc") || existsSync("/usr/bin/nc"))("nc", async () => {
    const child = spawn("nc", ["-N", "127.0.0.1", String(server.tcpPort)]);
    let replies = "";
    child.stdout.on("data", (chunk: Buffer) => (replies += String(chunk)));
    // The end of the input half-closes the connection: what was asked is still answered.
    child.stdin.end(
      "CREATE guide-netcat\nPUT guide-netcat milk 1\nGET guide-netcat milk\nGET guide-netcat nothing\n",
    );
    await new Promise((resolve) => child.once("close", resolve));
    expect(replies).toBe("OK\r\nOK\r\n1\r\nOK\r\n\r\nOK\r\n");
  });
});
