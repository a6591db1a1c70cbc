/** Watching over the wire: those who are cut off, and those who do not read. */

import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SseReader, type SseEvent } from "../support/sse.ts";
import { startServer, temporaryFolder, type RunningServer } from "../e2e/support/server.ts";
import { batch, create, put, revisionOf, take, upTo, watch, watchSocket } from "../e2e/support/watchers.ts";

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ environment: { KV_HEARTBEAT_MS: "100" } });
});
afterAll(() => server.stop());

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
    // The outcome of these is unknown.
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
  const CHANGES = 250;
  const BATCH = 50;

  /** The answer to a request on a connection of its own. None of it is read until the caller reads. */
  async function unread(bucket: string): Promise<IncomingMessage> {
    const request = get(`${bucket}/watch`, { agent: false });
    const [response] = (await once(request, "response")) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    return response;
  }
  const reader = (response: IncomingMessage): SseReader =>
    new SseReader(new Response(Readable.toWeb(response) as ReadableStream<Uint8Array>));

  /** Writes 15 MB, far more than lies between two processes, and waits until another watcher has heard of it. */
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
    const bucket = await create("asleep", server);
    const response = await unread(bucket);
    const before = await server.memory();
    await writeMuch(bucket);
    console.log(
      `memory of the engine, with 15 MB written past a slow reader: ${before.toFixed(0)} MB before, ${(await server.memory()).toFixed(0)} MB after`,
    );
    const stream = reader(response);
    expect((await take(stream, CHANGES)).map(revisionOf)).toEqual(upTo(CHANGES));
    await stream.close();
  });

  it("gets the rest when it comes back with since= behind what it had", async () => {
    const bucket = await create("back", server);
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
    const bucket = await create("stopped", server);
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
    const bucket = await create("idle", server);
    const stream = await watch(bucket);
    expect(await stream.comment()).toBe(": still here");
    expect(await stream.comment()).toBe(": still here");
    await put(bucket, "milk", "1");
    expect(await stream.next()).toMatchObject({ event: "put", data: { key: "milk" } });
    await stream.close();
  });
});
