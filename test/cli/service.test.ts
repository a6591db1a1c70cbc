/** Which service a command asks, with which token, and how long it waits for it. */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KV, kv, start, startKvProcess, type CliOptions } from "../e2e/support/cli.ts";
import { NOWHERE } from "../e2e/support/nowhere.ts";
import { startServer, type RunningServer } from "../e2e/support/server.ts";

const SECRET = "a secret, with blanks";

let locked: RunningServer;

beforeAll(async () => void (locked = await startServer({ environment: { KV_TOKEN: SECRET } })));

afterAll(() => locked.stop());

describe("the token", () => {
  const withToken = (): CliOptions => ({ url: locked.http, environment: { KV_TOKEN: SECRET } });

  it("is in KV_TOKEN or --token", async () => {
    expect((await kv(withToken(), "create", "b")).code).toBe(0);
    expect((await kv({ url: locked.http }, "buckets", "--token", SECRET)).out).toBe("b\n");
  });

  it("that is invalid is refused in one line", async () => {
    const { code, err } = await kv({ url: locked.http, environment: { KV_TOKEN: "blank " } }, "buckets");
    expect([code, err]).toEqual([2, expect.stringMatching(/^error: A token [^\n]+\n$/)]);
  });

  it("is sent on WebSockets too", async () => {
    expect(await kv({ ...withToken(), input: "BUCKETS\n" }, "repl")).toMatchObject({
      code: 0,
      out: "b\nOK\n",
    });
  });

  it.each(["buckets", "repl"])("kv %s without it is refused", async (verb) => {
    const { code, err } = await kv({ url: locked.http }, verb);
    expect([code, err]).toEqual([3, expect.stringContaining("(unauthorized)")]);
  });
});

describe("the environment", () => {
  it("counts an empty variable as not set", async () => {
    const { out } = await kv({ url: "", environment: { KV_TOKEN: "" } }, "create", "--help");
    expect(out).toContain("--url");
    const [unset, empty] = await Promise.all([
      start(["bash", "-c", `unset KV_URL; ${KV.join(" ")} get b k`], {}).ended,
      kv({ url: "", environment: { KV_TOKEN: "" } }, "get", "b", "k"),
    ]);
    expect(empty).toMatchObject({ code: unset.code, out: unset.out, err: unset.err });
  });
});

describe("--timeout", () => {
  /** A service that takes what it is sent, and says no more than this. */
  async function silent(answer: string): Promise<{ readonly url: string; readonly close: () => void }> {
    const listening = createServer((request, response) => {
      if (request.url === "/v1/buckets/b") response.end('{"name":"b","incarnation":"1"}');
      else if (answer === "") request.resume();
      else response.writeHead(200, { "Content-Type": "application/x-ndjson" }).write(answer);
    }).listen(0, "127.0.0.1");
    await once(listening, "listening");
    return {
      url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`,
      close: () => {
        listening.closeAllConnections();
        listening.close();
      },
    };
  }

  it.each([
    ["import", ""],
    ["export", '{"key":"a","value":"1"}\n'],
  ])("ends an %s that makes no progress for so long", async (verb, answer) => {
    const { url, close } = await silent(answer);
    const running = startKvProcess({ url }, verb, "b", "--timeout", "1");
    running.end('{"key":"a"}\n');
    const { code, out, err } = await running.ended;
    expect([code, out, err]).toEqual([4, answer, expect.stringMatching(/^kv: No progress .*\(timeout\)\n$/)]);
    close();
  });
});

describe("an unreachable service", () => {
  it.each([["buckets"], ["get", "b", "k"], ["watch", "b"], ["monitor", "b"], ["repl"]])(
    "kv %s: exit code 4",
    async (...args) => {
      const { code, out, err } = await kv({ url: NOWHERE }, ...args);
      expect([code, out, err]).toEqual([4, "", expect.stringContaining("ECONNREFUSED")]);
      expect(err).toContain("Nothing was sent: there is no connection to http://127.0.0.1:2. Start a server");
    },
  );
});
