/** Watching over the wire: many at once, those who are cut off, and those who do not read. */

import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SseReader, type SseEvent } from "../support/sse.ts";
import { startServer, temporaryFolder, type RunningServer } from "./support/server.ts";

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ environment: { KV_HEARTBEAT_MS: "100" } });
});
afterAll(() => server.stop());

const create = async (name: string, at: RunningServer = server): Promise<string> => {
  const response = await fetch(`${at.http}/v1/buckets/${name}`, { method: "PUT" });
  expect(response.status).toBe(201);
  return `${at.http}/v1/buckets/${name}`;
};
const put = async (bucket: string, key: string, value: string): Promise<void> => {
  const response = await fetch(`${bucket}/keys/${encodeURIComponent(key)}`, { method: "PUT", body: value });
  expect([201, 204]).toContain(response.status);
};
const batch = async (bucket: string, keys: readonly string[], value: string): Promise<void> => {
  const body = JSON.stringify(keys.map((key) => ({ op: "put", key, value })));
  expect((await fetch(`${bucket}/batch`, { method: "POST", body })).status).toBe(200);
};
const watch = async (bucket: string, init: RequestInit = {}, query = ""): Promise<SseReader> => {
  const response = await fetch(`${bucket}/watch${query}`, init);
  expect(response.status).toBe(200);
  return new SseReader(response).begun();
};
const upTo = (count: number, first = 1): number[] => Array.from({ length: count }, (_, n) => first + n);
const revisionOf = ({ data }: SseEvent): number => Number(data["revision"]);

/** The next so many events, or all that there are. */
async function take(stream: SseReader, count: number): Promise<SseEvent[]> {
  const events: SseEvent[] = [];
  while (events.length < count) {
    const event = await stream.next();
    if (event === undefined) break;
    events.push(event);
  }
  return events;
}

interface JsonEvent {
  readonly event: string;
  readonly revision: number;
  readonly reason?: string;
}
const PLACES = new Set(["begin", "position"]);
interface SocketWatcher {
  readonly socket: WebSocket;
  /** Settles with what was heard, when that is so many events beside those that only say where one is. */
  readonly heard: (count: number) => Promise<readonly JsonEvent[]>;
}

/** A watcher over WebSocket, who says each time that it has read. */
async function watchSocket(bucket: string): Promise<SocketWatcher> {
  const socket = new WebSocket(`${bucket.replace("http:", "ws:")}/watch`);
  const events: JsonEvent[] = [];
  let look = (): void => undefined;
  const begun = new Promise<void>((resolve, reject) => {
    socket.addEventListener("error", () => reject(new Error("the WebSocket failed")));
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(String(data)) as JsonEvent[];
      events.push(...message.filter(({ event }) => !PLACES.has(event)));
      if (socket.readyState === WebSocket.OPEN) socket.send("");
      if (message.some(({ event }) => event === "begin")) resolve();
      look();
    });
  });
  await begun;
  return {
    socket,
    heard: (count) =>
      new Promise((resolve, reject) => {
        look = () => {
          if (events.length >= count) resolve(events);
        };
        socket.addEventListener("close", ({ code }) => {
          reject(new Error(`closed with ${code} after ${events.length} events`));
        });
        look();
      }),
  };
}

describe("five hundred watchers of one bucket", () => {
  it("each hear every one of a thousand changes once, in order", { timeout: 180_000 }, async () => {
    const bucket = await create("crowd");
    const before = await server.memory();
    const streams = await Promise.all(upTo(250).map(() => watch(bucket)));
    const sockets = await Promise.all(upTo(250).map(() => watchSocket(bucket)));
    const watching = await server.memory();
    const heard = Promise.all([
      ...streams.map(async (stream) => (await take(stream, 1_000)).map(revisionOf)),
      ...sockets.map(async ({ heard: until }) => (await until(1_000)).map(({ revision }) => revision)),
    ]);
    // Ten times ninety at once and ten by themselves.
    for (let round = 0; round < 10; round += 1) {
      await batch(
        bucket,
        upTo(90).map((n) => `batch/${round}/${n}`),
        "v".repeat(100),
      );
      for (const n of upTo(10)) await put(bucket, `single/${n}`, `${round}`);
    }
    const all = await heard;
    const after = await server.memory();
    console.log(
      `memory of the engine: ${before.toFixed(0)} MB, with 500 watchers ${watching.toFixed(0)} MB, after 1,000 changes ${after.toFixed(0)} MB`,
    );
    expect(all).toHaveLength(500);
    const expected = upTo(1_000);
    for (const revisions of all) expect(revisions).toEqual(expected);
    for (const { socket } of sockets) socket.close();
    for (const stream of streams) await stream.close();
  });
});

describe("a watcher whose server is killed", () => {
  it("hears every change once when it comes back behind the last that it heard", async () => {
    const folder = temporaryFolder();
    const first = await startServer({ data: folder.path });
    const bucket = await create("killed", first);
    const stream = await watch(bucket);
    const heard: SseEvent[] = [];
    const broken = (async () => {
      for (;;) heard.push(...(await take(stream, 1)));
    })().catch(() => undefined);
    for (const n of upTo(50)) await put(bucket, `before/${n}`, `${n}`);
    // Nobody knows what becomes of these.
    const unknown = upTo(20).map((n) => put(bucket, `meanwhile/${n}`, `${n}`).catch(() => undefined));
    await first.killAll();
    await Promise.all([broken, ...unknown]);

    const second = await startServer({ data: folder.path });
    const again = `${second.http}/v1/buckets/killed`;
    const resumed = await watch(again, { headers: { "Last-Event-ID": stream.lastId } });
    for (const n of upTo(50)) await put(again, `after/${n}`, `${n}`);
    const { revision } = (await (await fetch(again)).json()) as { revision: number };
    heard.push(...(await take(resumed, revision - heard.length)));
    expect(heard.map(revisionOf)).toEqual(upTo(revision));
    const named = (prefix: string): unknown[] =>
      heard.map(({ data }) => data["key"]).filter((key) => String(key).startsWith(prefix));
    expect(named("before/")).toEqual(upTo(50).map((n) => `before/${n}`));
    expect(named("after/")).toEqual(upTo(50).map((n) => `after/${n}`));
    await resumed.close();
    await second.stop();
    await folder.remove();
  });
});

describe("a watcher that does not read", () => {
  const LARGE = "v".repeat(60_000);
  const CHANGES = 500;
  const BATCH = 50;

  /** The answer to a request on a connection of its own, of which nothing is read until somebody does. */
  async function unread(bucket: string): Promise<IncomingMessage> {
    const request = get(`${bucket}/watch`, { agent: false });
    const [response] = (await once(request, "response")) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    return response;
  }
  const reader = (response: IncomingMessage): SseReader =>
    new SseReader(new Response(Readable.toWeb(response) as ReadableStream<Uint8Array>));

  /** Writes 30 MB, far more than lies between two processes, and waits until another watcher has heard of it. */
  async function writeMuch(bucket: string): Promise<void> {
    const other = await watch(bucket);
    const heard = take(other, CHANGES);
    for (let n = 0; n < CHANGES; n += BATCH) {
      await batch(
        bucket,
        upTo(BATCH, n).map((at) => `k${at}`),
        LARGE,
      );
    }
    const events = await heard;
    expect(events.map(revisionOf)).toEqual(upTo(CHANGES));
    expect(events.every(({ data }) => data["value"] === LARGE)).toBe(true);
    await other.close();
  }

  it("does not disturb others, and hears all of it when it reads again", async () => {
    const bucket = await create("asleep");
    const response = await unread(bucket);
    const before = await server.memory();
    await writeMuch(bucket);
    console.log(
      `memory of the engine, with 30 MB written past a slow reader: ${before.toFixed(0)} MB before, ${(await server.memory()).toFixed(0)} MB after`,
    );
    const stream = reader(response);
    expect((await take(stream, CHANGES)).map(revisionOf)).toEqual(upTo(CHANGES));
    await stream.close();
  });

  it("gets the rest when it comes back with since= behind what it had", async () => {
    const bucket = await create("back");
    const response = await unread(bucket);
    await writeMuch(bucket);
    const stream = reader(response);
    expect((await take(stream, 10)).map(revisionOf)).toEqual(upTo(10));
    response.destroy();
    const resumed = await watch(bucket, {}, `?since=${stream.lastId}`);
    expect((await take(resumed, CHANGES - 10)).map(revisionOf)).toEqual(upTo(CHANGES - 10, 11));
    await resumed.close();
  });
});

describe("a bucket that is stopped", () => {
  it("tells its watchers with DOWN, and their streams end", async () => {
    const bucket = await create("stopped");
    const stream = await watch(bucket);
    const { socket, heard } = await watchSocket(bucket);
    const closed = once(socket, "close") as unknown as Promise<[CloseEvent]>;
    await put(bucket, "milk", "1");
    await fetch(bucket, { method: "DELETE" });
    expect(await take(stream, 3)).toMatchObject([
      { event: "put", data: { key: "milk", value: "1" } },
      { event: "DOWN", data: { reason: "normal" } },
    ]);
    expect(await heard(2)).toMatchObject([{ event: "put" }, { event: "DOWN", reason: "normal" }]);
    const [{ code }] = await closed;
    expect(code).toBe(1001);
  });
});

describe("an idle stream", () => {
  it("shows that it is alive, again and again, and still hears what comes", async () => {
    const bucket = await create("idle");
    const stream = await watch(bucket);
    expect(await stream.comment()).toBe(": still here");
    expect(await stream.comment()).toBe(": still here");
    await put(bucket, "milk", "1");
    expect(await stream.next()).toMatchObject({ event: "put", data: { key: "milk" } });
    await stream.close();
  });
});
