/** Authorization, from outside: a server with a token, on every transport. */

import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { Kv } from "../../src/client/index.ts";
import { startServer, type RunningServer } from "../e2e/support/server.ts";
import { server as open } from "../e2e/support/shared-server.ts";
import { openTcp, openWebSocket } from "../e2e/support/transports.ts";

const TOKEN = "correct horse battery staple";
const shown = { Authorization: `Bearer ${TOKEN}` };
let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ environment: { KV_TOKEN: TOKEN } });
  await fetch(`${server.http}/v1/buckets/locked`, { method: "PUT", headers: shown });
});
afterAll(() => server.stop());

describe("a server with a token", () => {
  it("answers only /healthz without a token", async () => {
    expect((await fetch(`${server.http}/healthz`)).status).toBe(200);
    for (const [method, path] of [
      ["GET", "/v1/buckets"],
      ["PUT", "/v1/buckets/b"],
      ["GET", "/v1/buckets/locked/keys/k"],
      ["POST", "/v1/commands"],
      ["GET", "/v1/connect"],
      ["GET", "/nothing"],
    ] as const) {
      const response = await fetch(`${server.http}${path}`, { method });
      expect(response.status).toBe(401);
      expect(response.headers.get("WWW-Authenticate")).toMatch(/^Bearer /);
      expect(await response.json()).toMatchObject({ code: "unauthorized" });
    }
  });

  it.each([
    ["a wrong token", "PUT", "/v1/buckets/locked/keys/k", {}, 401],
    ["a path that is not there", "PUT", "/nothing", shown, 404],
    ["a wrong method", "POST", "/v1/buckets/locked/keys/k", shown, 405],
    ["a wrong method of unstorage's", "POST", "/unstorage/locked/k", shown, 405],
  ])("says to who is sending much that it was %s", async (_, method, path, headers, status) => {
    // Refused in the middle of it, a sender would hear of a broken pipe, now and then.
    for (let n = 0; n < inject("sizes").refusals; n += 1) {
      const init: RequestInit = { method, headers, body: new Uint8Array(27 * 1_048_576) };
      const response = await fetch(`${server.http}${path}`, init);
      expect(response.status).toBe(status);
      await response.text();
    }
  });

  it("serves who shows it", async () => {
    expect((await fetch(`${server.http}/v1/buckets/locked`, { headers: shown })).status).toBe(200);
  });

  it("wants AUTH first on TCP", async () => {
    const { ask, close } = await openTcp(server.tcpPort);
    expect(await ask("GET locked k\nAUTH wrong\nPING\n", 3)).toBe(
      "ERROR UNAUTHORIZED\r\nERROR UNAUTHORIZED\r\nPONG\r\n",
    );
    expect(await ask(`AUTH "${TOKEN}"\nGET locked k\n`, 3)).toBe("OK\r\n\r\nOK\r\n");
    close();
  });

  it.each(["/v1/connect", "/v1/buckets/locked/connect"])(
    "takes it as a subprotocol on a WebSocket at %s",
    async (path) => {
      const url = `ws://127.0.0.1:${server.httpPort}${path}`;
      const protocols = (token: string): string[] => [
        "kv",
        `kv.bearer.${Buffer.from(token).toString("base64url")}`,
      ];
      await expect(openWebSocket(url)).rejects.toThrow("refused");
      await expect(openWebSocket(url, protocols("wrong"))).rejects.toThrow("refused");
      const { ask, socket, close } = await openWebSocket(url, protocols(TOKEN));
      expect(socket.protocol).toBe("kv");
      expect(await ask("GET locked k", 2)).toBe("\r\nOK\r\n");
      close();
    },
  );

  it("takes it from a client's session", async () => {
    const session = new Kv({ url: server.http, token: TOKEN }).bucket("locked").session();
    expect(await session.bucket.get("k")).toBeUndefined();
    session.close();
  });

  it("never prints it", () => {
    expect(server.output()).not.toContain(TOKEN);
  });
});

describe("a server without a token", () => {
  it("refuses another site's page", async () => {
    const headers = { Origin: "https://evil.example" };
    const response = await fetch(`${open.http}/v1/commands`, {
      method: "POST",
      body: "CREATE auth-tricked",
      headers,
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: "origin_not_allowed" });
    expect((await fetch(`${open.http}/v1/buckets/auth-tricked`)).status).toBe(404);
  });
});
