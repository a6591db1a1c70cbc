/** Ends and monitors over the wire, against the running server. */

import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle } from "../../src/serve/bundle.ts";
import { SseReader } from "../support/sse.ts";
import { runServer, startServer, temporaryFolder, type RunningServer } from "./support/server.ts";
import { openTcp, openWebSocket } from "./support/transports.ts";

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ environment: { KV_SWEEP_PERIOD_MS: "1000", KV_HEARTBEAT_MS: "100" } });
});
afterAll(() => server.stop());

const http = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${server.http}/v1/buckets/${path}`, init);
const create = (name: string, restart = "temporary"): Promise<Response> =>
  http(name, { method: "PUT", body: JSON.stringify({ restart }) });

// The guide's KV.RegistryTest, which needs a barrier call between the end and the lookup.
describe("the guide's tests, with no barrier call", () => {
  it("removes bucket on exit", async () => {
    const { ask, close } = await openTcp(server.tcpPort);
    expect(await ask("CREATE exit\nSTOP exit\nLOOKUP exit\n", 3)).toBe("OK\r\nOK\r\nNOT FOUND\r\n");
    close();
  });

  it("removes bucket on crash", async () => {
    await create("crash");
    const { ask, close } = await openTcp(server.tcpPort);
    expect(await ask("PUT crash milk 1\nEXIT crash shutdown\nLOOKUP crash\nGET crash milk\n", 4)).toBe(
      "OK\r\nOK\r\nNOT FOUND\r\nNOT FOUND\r\n",
    );
    expect((await http("crash")).status).toBe(404);
    close();
  });
});

describe.each([
  ["TCP", () => openTcp(server.tcpPort)],
  ["WebSocket", () => openWebSocket(`ws://127.0.0.1:${server.httpPort}/v1/connect`)],
] as const)("MONITOR over %s", (transport, open) => {
  const named = (name: string): string => `${name}-${transport}`;

  it("is DOWN noproc at once where there is nothing", async () => {
    const { ask, close } = await open();
    expect(await ask(`MONITOR ${named("nothing")}\n`, 2)).toBe(`OK\r\nDOWN ${named("nothing")} noproc\r\n`);
    close();
  });

  it("tells of the end, with its reason, once for however many times it was asked", async () => {
    const name = named("ended");
    await create(name);
    const { ask, take, close } = await open();
    expect(await ask(`MONITOR ${name}\nMONITOR ${name}\n`, 2)).toBe("OK\r\nOK\r\n");
    await http(`${name}/exit`, { method: "POST", body: '{"reason":"out of stock"}' });
    expect(await take(1)).toBe(`DOWN ${name} out of stock\r\n`);
    // The next bucket of that name is another one.
    await create(name);
    await http(name, { method: "DELETE" });
    expect(await ask("PING\n", 1)).toBe("PONG\r\n");
    close();
  });

  it("tells of restarts, and goes on", async () => {
    const name = named("restarted");
    await create(name, "permanent");
    const { ask, take, close } = await open();
    await ask(`MONITOR ${name}\n`, 1);
    await http(`${name}/exit`, { method: "POST", body: '{"reason":"kill"}' });
    expect(await take(1)).toBe(`RESTARTED ${name} killed\r\n`);
    await http(name, { method: "DELETE" });
    expect(await take(1)).toBe(`DOWN ${name} normal\r\n`);
    close();
  });

  it("keeps a reason with control characters on its line", async () => {
    const name = named("quoted");
    await create(name);
    const { ask, take, close } = await open();
    await ask(`MONITOR ${name}\n`, 1);
    await http(`${name}/exit`, { method: "POST", body: JSON.stringify({ reason: "two\nlines" }) });
    expect(await take(1)).toBe(`DOWN ${name} "two\\nlines"\r\n`);
    close();
  });
});

describe("a client that does not read", () => {
  it("is cut off when it can't be told of a DOWN: it must not believe that there was none", async () => {
    await create("unread");
    await create("large", "permanent");
    await http("large/keys/k", { method: "PUT", body: "x".repeat(1_000_000) });
    const { socket, ask, take, rest } = await openTcp(server.tcpPort);
    await ask("MONITOR unread\n", 1);
    socket.pause();
    socket.write("GET large k\n".repeat(40));
    // Long enough for the replies to fill whatever lies between the two.
    const other = await openTcp(server.tcpPort);
    for (let count = 0; count < 60; count += 1) await other.ask("GET large k\n", 2);
    other.close();
    await http("unread", { method: "DELETE" });
    socket.resume();
    const heard = await Promise.race([take(81).then((lines) => lines), rest()]);
    expect(heard.includes("DOWN unread normal") || socket.destroyed || socket.readableEnded).toBe(true);
  });
});

describe("MONITOR on a bucket's own connection", () => {
  it("tells of the end, and the connection ends with it", async () => {
    await create("own");
    const { ask, take, closed } = await openWebSocket(
      `ws://127.0.0.1:${server.httpPort}/v1/buckets/own/connect`,
    );
    expect(await ask("MONITOR own\n", 1)).toBe("OK\r\n");
    await http("own/exit", { method: "POST", body: '{"reason":"boom"}' });
    expect(await take(1)).toBe("DOWN own boom\r\n");
    expect(await closed).toBe(1001);
  });

  it("answers its own EXIT before the reset ends it", async () => {
    await create("own-exit", "permanent");
    const { ask, closed } = await openWebSocket(
      `ws://127.0.0.1:${server.httpPort}/v1/buckets/own-exit/connect`,
    );
    expect(await ask("PUT own-exit milk 1\nEXIT own-exit kill\n", 2)).toBe("OK\r\nOK\r\n");
    await closed;
    expect(await (await http("own-exit/keys/milk")).text()).toBe("1");
  });
});

describe("MONITOR over POST /v1/commands", () => {
  it("needs a connection", async () => {
    const response = await fetch(`${server.http}/v1/commands`, { method: "POST", body: "MONITOR any" });
    expect(await response.text()).toMatch(/^ERROR NEEDS_CONNECTION /);
  });
});

describe("the sweep", () => {
  it("shows in a listing what buckets said of themselves, and how long ago", async () => {
    await create("swept", "permanent");
    await http("swept/keys/milk", { method: "PUT", body: "12345" });
    await expect
      .poll(async () => (await fetch(`${server.http}/v1/buckets?prefix=swept`)).json(), { timeout: 20_000 })
      .toMatchObject({ buckets: [{ entries: 1, bytes: 9, revision: 1, status: "running" }] });
  });
});

describe("events", () => {
  it("are resumed behind Last-Event-ID, over a machine that fails", async () => {
    const folder = temporaryFolder();
    const first = await startServer({ data: folder.path });
    const put = (at: RunningServer, name: string): Promise<Response> =>
      fetch(`${at.http}/v1/buckets/${name}`, { method: "PUT", body: '{"restart":"temporary"}' });
    const events = await new SseReader(await fetch(`${first.http}/v1/events`)).begun();
    await put(first, "before");
    expect(await events.next()).toMatchObject({ event: "created", data: { name: "before" } });
    await put(first, "meanwhile");
    await fetch(`${first.http}/v1/buckets/meanwhile/exit`, { method: "POST", body: '{"reason":"boom"}' });
    await first.killAll();
    const second = await startServer({ data: folder.path });
    const again = await new SseReader(
      await fetch(`${second.http}/v1/events`, { headers: { "Last-Event-ID": events.lastId } }),
    ).begun();
    expect(await again.next()).toMatchObject({ event: "created", data: { name: "meanwhile" } });
    expect(await again.next()).toMatchObject({ event: "DOWN", data: { name: "meanwhile", reason: "boom" } });
    await again.close();
    await second.stop();
    await folder.remove();
  });

  it("stop being followed when the client goes", async () => {
    // A server of its own: what others print of clients that they have cut off is not looked at.
    const quiet = await startServer({ environment: { KV_HEARTBEAT_MS: "100" } });
    const follow = async (signal?: AbortSignal): Promise<SseReader> =>
      new SseReader(await fetch(`${quiet.http}/v1/events`, signal === undefined ? {} : { signal })).begun();
    const abort = new AbortController();
    await follow(abort.signal);
    abort.abort();
    const other = await follow();
    const bucket = `${quiet.http}/v1/buckets/after-the-client`;
    await fetch(bucket, { method: "PUT" });
    expect(await other.next()).toMatchObject({ event: "created", data: { name: "after-the-client" } });
    // Followers that are still there have been written to more than once.
    for (let beat = 0; beat < 3; beat += 1) expect(await other.comment()).toBe(": still here");
    // The server is well, and does not log that it could not write.
    expect((await fetch(bucket)).status).toBe(200);
    expect(quiet.output()).not.toMatch(/rror/);
    await other.close();
    await quiet.stop();
  });
});

describe("settings", () => {
  it.each([
    ["KV_SWEEP_PERIOD_MS", "soon"],
    ["KV_SWEEP_BATCH", "0"],
    ["KV_PROBE_TIMEOUT_MS", "1"],
    ["KV_RECHECK_MS", "-5"],
    ["KV_ORPHAN_PERIOD_MS", "1e9"],
    ["KV_EVENT_LOG", "0"],
    ["KV_HEARTBEAT_MS", "9999999"],
  ])("%s=%s is refused at the start, with what it may be", async (name, value) => {
    const { code, output } = await runServer(["--memory", "--port", "0", "--tcp-port", "0"], {
      [name]: value,
    });
    expect(code).toBe(1);
    expect(output).toMatch(new RegExp(`${name} is "${value}"; it must be a whole number from \\d+ to \\d+`));
  });
});

describe("what is served", () => {
  it("has no trace of the tests' failpoints", async () => {
    const code = await bundle(resolve(import.meta.dirname, "../../src/worker.ts"));
    expect(code).not.toMatch(/object not started|failpoint/i);
  });
});
