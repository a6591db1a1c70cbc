/** The end of a server: what it was told, what its clients hear, and what it leaves behind. */

import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { request, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runServer, startServer, temporaryFolder, type RunningServer } from "../e2e/support/server.ts";
import { openTcp, openWebSocket } from "../e2e/support/transports.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());
const path = (name: string): string => join(folder.path, name);

const create = (server: RunningServer, name: string): Promise<Response> =>
  fetch(`${server.http}/v1/buckets/${name}`, { method: "PUT" });
const put = (server: RunningServer, target: string, body = "1"): Promise<Response> =>
  fetch(`${server.http}/v1/buckets/${target}`, { method: "PUT", body });

/** A response whose body is read when it is asked for. */
async function openStream(
  server: RunningServer,
  target: string,
): Promise<{ readonly rest: Promise<string> }> {
  const response = await fetch(`${server.http}${target}`);
  expect(response.status).toBe(200);
  const rest = response.text();
  rest.catch(() => undefined); // reported where it is awaited
  return { rest };
}

/** A put whose body is not sent to its end yet. */
async function beginUpload(server: RunningServer, target: string, length: number) {
  const upload = request(`${server.http}/v1/buckets/${target}`, {
    method: "PUT",
    headers: { "Content-Length": length, Expect: "100-continue" },
  });
  const answered = once(upload, "response").then(([response]) => response as IncomingMessage);
  answered.catch(() => undefined);
  upload.flushHeaders();
  upload.write("x");
  return { upload, answered };
}

const isRunning = (pid: number): boolean => existsSync(`/proc/${pid}/stat`);

/** Resolves when a process has gone, and is buried. */
async function gone(pid: number): Promise<void> {
  await expect.poll(() => isRunning(pid)).toBe(false);
}

describe("a server that is told to end", () => {
  it("answers requests in progress, and closes the rest: HTTP 503, WebSocket 1012, a line on TCP, the end of a stream", async () => {
    const server = await startServer({ data: path("goodbye") });
    await create(server, "b");
    const tcp = await openTcp(server.tcpPort);
    await tcp.ask("PING\n", 1);
    const sockets = await Promise.all(
      ["/v1/connect", "/v1/buckets/b/connect", "/v1/buckets/b/session", "/v1/buckets/b/watch"].map((one) =>
        openWebSocket(`ws://127.0.0.1:${server.httpPort}${one}`),
      ),
    );
    const streams = await Promise.all(
      ["/v1/buckets/b/watch", "/v1/events", "/v1/buckets/b/monitor"].map((one) => openStream(server, one)),
    );
    const length = 2 * 1_048_576;
    const { upload, answered } = await beginUpload(server, "b/keys/large", length);
    const writers = Promise.all(
      Array.from({ length: 32 }, async (_, n) => (await put(server, `b/keys/w${n}`)).status),
    );
    expect(new Set(await writers)).toEqual(new Set([201]));
    const ended = server.stop();
    expect(await tcp.rest()).toMatch(/^ERROR SERVER_STOPPING [^\r\n]+\r\n$/);
    upload.end(Buffer.alloc(length - 1, "x"));
    expect([201, 503]).toContain((await answered).statusCode);
    for (const { closed } of sockets) expect(await closed).toBe(1012);
    // A stream that breaks off would reject here.
    for (const { rest } of streams) expect(await rest).toContain("\n\n");
    expect((await ended).code).toBe(0);
  });

  it("does not wait for a stalled upload: it gets 503, and its connection is closed", async () => {
    const server = await startServer({ data: path("slow") });
    await create(server, "b");
    const { answered } = await beginUpload(server, "b/keys/slow", 100);
    // It has arrived once something that was sent behind it has.
    await put(server, "b/keys/other");
    const ended = server.stop();
    const response = await answered;
    expect([response.statusCode, response.headers.connection]).toEqual([503, "close"]);
    expect((await ended).code).toBe(0);
  });

  it("ends before it is ready if its shell was gone when it looked", async () => {
    const { code, output } = await runServer(["--memory", "--port", "0", "--tcp-port", "0", "--parent", "1"]);
    expect([code, output]).toEqual([0, ""]);
  });
});

describe("an engine that ends by itself", () => {
  it("is restarted on the same ports, and the log says so", async () => {
    const server = await startServer({ data: path("again") });
    await create(server, "b");
    await put(server, "b/keys/k", "kept");
    const first = await server.enginePid();
    process.kill(first, "SIGKILL");
    await server.prints(/The engine ended by itself \(code \d+\)\. Restarting it\.\nThe engine is back\./);
    expect(await (await fetch(`${server.http}/v1/buckets/b/keys/k`)).text()).toBe("kept");
    const tcp = await openTcp(server.tcpPort);
    expect(await tcp.ask("GET b k\n", 2)).toBe("kept\r\nOK\r\n");
    tcp.close();
    expect(await server.enginePid()).not.toBe(first);
    expect((await server.stop()).code).toBe(0);
  });

  it("keeps data of --memory over its restart", async () => {
    const server = await startServer();
    await create(server, "b");
    process.kill(await server.enginePid(), "SIGKILL");
    await server.prints(/The engine is back\./);
    expect((await fetch(`${server.http}/v1/buckets/b`)).status).toBe(200);
    await server.stop();
  });

  it("ends although a client still watches, when another process sends the signal", async () => {
    const server = await startServer({ data: path("drained") });
    await create(server, "b");
    const stream = await openStream(server, "/v1/buckets/b/watch");
    process.kill(await server.enginePid(), "SIGTERM");
    await server.prints(/The engine is back\./);
    await stream.rest.catch(() => undefined); // a killed server sends no farewell
    expect((await fetch(`${server.http}/v1/buckets/b`)).status).toBe(200);
    await server.stop();
  });
});

describe("the data folder", () => {
  it("is made private to its owner, with all its files, and the server says so", async () => {
    const data = path("open");
    mkdirSync(join(data, "durable-kv-Bucket"), { recursive: true });
    writeFileSync(join(data, "durable-kv-Bucket/old"), "", { mode: 0o644 });
    chmodSync(data, 0o755);
    const server = await startServer({ data });
    await create(server, "b");
    expect(server.output()).toContain(`The data folder ${data} was open to other users of this machine`);
    for (const name of [".", ...readdirSync(data, { recursive: true }).map(String)]) {
      const found = statSync(join(data, name));
      expect([name, (found.mode & 0o777).toString(8)]).toEqual([name, found.isDirectory() ? "700" : "600"]);
    }
    await server.stop();
    const again = await startServer({ data });
    expect(again.output()).not.toContain("was open to other users");
    await again.stop();
  });

  it("with foreign files keeps its permissions and theirs; only the server's own files are made private", async () => {
    const data = path("shared with others");
    mkdirSync(data);
    writeFileSync(join(data, "deploy.sh"), "", { mode: 0o755 });
    chmodSync(data, 0o755);
    const server = await startServer({ data });
    await create(server, "b");
    const modes = Object.fromEntries(
      readdirSync(data).map((name) => [name, (statSync(join(data, name)).mode & 0o777).toString(8)]),
    );
    expect(modes).toMatchObject({
      "deploy.sh": "755",
      "durable-kv-Bucket": "700",
      lock: "600",
      engine: "600",
    });
    expect((statSync(data).mode & 0o777).toString(8)).toBe("755");
    await server.stop();
  });

  it("is free for the next server when the engine has ended, not when its parent has", async () => {
    const first = await startServer({ data: path("taken") });
    await create(first, "b");
    const engine = await first.enginePid();
    await first.kill();
    const second = await startServer({ data: path("taken") });
    expect(isRunning(engine)).toBe(false);
    expect((await fetch(`${second.http}/v1/buckets/b`)).status).toBe(200);
    await second.stop();
  });

  it("is in use while an engine lives, even if its server and watchdog are gone", async () => {
    const first = await startServer({ data: path("orphaned") });
    const engine = await first.enginePid();
    const watchdogs = await childrenOf(first.pid);
    for (const watchdog of watchdogs) {
      for (const child of await childrenOf(watchdog)) if (child !== engine) process.kill(child, "SIGKILL");
      process.kill(watchdog, "SIGKILL");
    }
    process.kill(first.pid, "SIGKILL");
    await gone(first.pid);
    expect(isRunning(engine)).toBe(true);
    const { code, output } = await runServer(["--port", "0", "--tcp-port", "0", "--data", path("orphaned")]);
    expect([code, output]).toEqual([1, expect.stringContaining("in use by an engine whose server has gone")]);
    process.kill(engine, "SIGKILL");
    await gone(engine);
    const next = await startServer({ data: path("orphaned") });
    await next.stop();
  });
});

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.split(" ").filter(Boolean).map(Number);
}
