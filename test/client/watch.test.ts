/** The client's watches: they go on by themselves when a connection breaks, and end with their bucket. */

import { describe, expect, it, vi } from "vitest";
import type { KvError } from "../../src/client/index.ts";
import { BucketDownError, BucketNotFoundError, Kv, type Change } from "../../src/client/index.ts";
import { startProxy } from "../e2e/support/proxy.ts";
import { events, problem, scripted, scriptedWith } from "../e2e/support/scripted-fetch.ts";
import { startServer, temporaryFolder } from "../e2e/support/server.ts";
import { bucketOf, kv } from "./support/shared-kv.ts";

describe("watching", () => {
  it("sends a snapshot and then changes with their values, until it is aborted", async () => {
    const bucket = await bucketOf<Record<string, number>>("client-watch");
    await bucket.put("a", 1);
    const controller = new AbortController();
    const changes = bucket.watch({ snapshot: true, signal: controller.signal });
    expect(await changes.next()).toEqual({ value: { event: "begin" }, done: false });
    expect(await changes.next()).toMatchObject({ value: { event: "entry", key: "a", value: 1 } });
    expect(await changes.next()).toMatchObject({ value: { event: "end_of_snapshot", revision: 1 } });
    await bucket.put("b", 2);
    await bucket.delete("a");
    expect(await changes.next()).toMatchObject({ value: { event: "put", key: "b", value: 2, revision: 2 } });
    expect(await changes.next()).toMatchObject({
      value: { event: "delete", key: "a", at: expect.any(Date) as Date },
    });
    const next = changes.next();
    controller.abort(new Error("enough"));
    await expect(next).rejects.toThrow("enough");
  });

  it("reopens a stream that has gone silent", async () => {
    const silent = (): Response => events(new ReadableStream());
    const put = { key: "a", revision: 1, etag: "i-1", type: "", value: "1" };
    const speaks = (): Response => events(`id: i-1\nevent: put\ndata: ${JSON.stringify(put)}\n\n`);
    const answers = [silent(), silent(), speaks()];
    let asked = 0;
    const client = new Kv({
      url: "http://kv.test",
      silenceMs: 60_000,
      fetch: () => Promise.resolve(answers[(asked += 1) - 1] ?? silent()),
    });
    vi.useFakeTimers();
    try {
      const heard: unknown[] = [];
      void client
        .bucket("b")
        .watch()
        .next()
        .then((change) => heard.push(change));
      while (heard.length === 0) await vi.advanceTimersByTimeAsync(1_000);
      expect(heard).toMatchObject([{ value: { key: "a", value: 1 } }]);
      expect(asked).toBe(3);
    } finally {
      vi.useRealTimers();
    }
  });

  it("ends at once when its reader returns", async () => {
    const bucket = await bucketOf("client-watch-return");
    for (const stream of [bucket.watch(), kv.monitor("client-watch-return")]) {
      const next = stream.next();
      expect(await stream.return()).toEqual({ done: true, value: undefined });
      expect(await next).toEqual({ done: true, value: undefined });
    }
    const kept = bucket.watch({ snapshot: true });
    for await (const change of kept) if (change.event === "end_of_snapshot") break;
    expect(await kept.next()).toEqual({ done: true, value: undefined });
  });

  it("ends with the bucket, and says why", async () => {
    const bucket = await bucketOf("client-watch-down");
    const changes = bucket.watch({ snapshot: true });
    for (const event of ["begin", "end_of_snapshot"]) {
      expect(await changes.next()).toMatchObject({ value: { event } });
    }
    const next = changes.next().catch((caught: unknown) => caught);
    await kv.stop("client-watch-down");
    const error: unknown = await next;
    expect(error).toBeInstanceOf(BucketDownError);
    expect((error as KvError).details).toEqual({ reason: "normal" });
  });

  it("ends with the bucket, even if the bucket ended while the watch was disconnected", async () => {
    const cut = scripted(events("id: i-1\n\n"), problem(404, "bucket_not_found"));
    const error: unknown = await cut.kv
      .bucket("b")
      .watch()
      .next()
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(BucketDownError);
    expect((error as KvError).details).toEqual({ reason: "noproc" });
    // Who has heard nothing yet has asked for what is not there.
    const never = scripted(problem(404, "bucket_not_found"));
    await expect(never.kv.bucket("b").watch().next()).rejects.toBeInstanceOf(BucketNotFoundError);
  });

  it("yields nothing more after its signal has fired, even if changes are waiting", async () => {
    const put = (n: number): string =>
      `id: i-${n}\nevent: put\ndata: ${JSON.stringify({ key: "a", revision: n, etag: `i-${n}`, type: "", value: "1" })}\n\n`;
    const { kv: told } = scripted(events(put(1) + put(2) + put(3)));
    const controller = new AbortController();
    const changes = told.bucket("b").watch({ signal: controller.signal });
    expect(await changes.next()).toMatchObject({ value: { revision: 1 } });
    controller.abort(new Error("enough"));
    await expect(changes.next()).rejects.toThrow("enough");
  });

  it.each([500, 520, 408])("reconnects after HTTP %d from a proxy", async (status) => {
    const put = { key: "a", revision: 1, etag: "i-1", type: "", value: "1" };
    const answers = [
      events("id: i-0\n\n"),
      new Response("<html>", { status }),
      events(`id: i-1\nevent: put\ndata: ${JSON.stringify(put)}\n\n`),
    ];
    const { kv: cut } = scripted(...answers);
    expect(await cut.bucket("b").watch().next()).toMatchObject({ value: { revision: 1 } });
  });

  it("is repeated where that is safe, as an export is: both only read", async () => {
    const lines = (): Response =>
      new Response("{}\n", { headers: { "Content-Type": "application/x-ndjson" } });
    const { kv: busy, asked } = scripted(problem(503, "overloaded"), "break", lines());
    expect(await new Response(await busy.bucket("b").export()).text()).toBe("{}\n");
    const put = { key: "a", revision: 1, etag: "i-1", type: "", value: "1" };
    const { kv: down } = scripted("break", events(`event: put\ndata: ${JSON.stringify(put)}\n\n`));
    expect(await down.bucket("b").watch().next()).toMatchObject({ value: { revision: 1 } });
    expect(asked).toHaveLength(3);
  });

  it("waits without limit if silenceMs is Infinity", async () => {
    vi.useFakeTimers();
    try {
      const quiet = scriptedWith({ silenceMs: Infinity }, events(new ReadableStream()));
      const changes = quiet.kv.bucket("b").watch();
      const next = changes.next();
      await vi.advanceTimersByTimeAsync(86_400_000);
      expect(quiet.asked).toHaveLength(1);
      await changes.return();
      await next;
    } finally {
      vi.useRealTimers();
    }
  });

  it("goes on by itself after the server was killed, with every change once", async () => {
    const folder = temporaryFolder();
    let running = await startServer({ data: folder.path });
    // The next server is at another port, and the client asks at the same one.
    const proxy = await startProxy(() => running.http);
    const client = new Kv({ url: proxy.url, retryBaseMs: 20 });
    await client.create("killed");
    const bucket = client.bucket<Record<string, number>>("killed");
    const heard: Change[] = [];
    const controller = new AbortController();
    const watching = (async () => {
      for await (const change of bucket.watch({ since: 0, signal: controller.signal })) {
        heard.push(change);
        if (heard.length === 30) break;
      }
    })();
    for (let n = 0; n < 10; n += 1) await bucket.put(`k${n}`, n);
    for (let kill = 0; kill < 2; kill += 1) {
      await running.killAll();
      running = await startServer({ data: folder.path });
      for (let n = 0; n < 10; n += 1) await bucket.put(`k${n}`, n);
    }
    await watching;
    expect(heard.map((change) => "revision" in change && change.revision)).toEqual(
      Array.from({ length: 30 }, (_, n) => n + 1),
    );
    proxy.close();
    await running.stop();
    await folder.remove();
  });
});
