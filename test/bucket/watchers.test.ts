/** Watchers of a bucket: what each of them is sent, and when it is held back. */

import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Bucket } from "../../src/bucket/bucket.ts";
import type { WatchEvent } from "../../src/bucket/watch-view.ts";
import { call } from "../../src/otp/call.ts";
import { setFailpointHook } from "../../src/otp/failpoint.ts";
import { startBucket } from "../support/buckets.ts";
import { armFailpoint } from "../support/faults.ts";
import { clock } from "../support/objects.ts";
import { watch, watches } from "../support/watch.ts";

const put = (bucket: DurableObjectStub<Bucket>, key: string, value = "1") =>
  call(() => bucket.put(key, value));
const keys = (events: readonly WatchEvent[]) => events.map(({ event, key }) => `${event} ${String(key)}`);
const changes = (events: readonly WatchEvent[]) =>
  events.filter(({ event }) => ["put", "delete", "expired"].includes(event));

/** Changes of a key that no watcher asked for. */
const noise = (bucket: DurableObjectStub<Bucket>, count: number) =>
  call(() =>
    bucket.batch(
      Array.from({ length: count }, () => ({
        op: "put" as const,
        key: "noise",
        value: "1",
        properties: {},
      })),
    ),
  );

describe("watching a bucket", () => {
  it("begins now, and brings each change with what was put", async () => {
    const bucket = await startBucket("watch now", "cafe");
    await put(bucket, "before");
    const watcher = await watches(bucket);
    await call(() =>
      bucket.put("milk", "2", { type: "text/x", metadata: '{"fat":3}', lifetime: { ttl: 60 } }),
    );
    await call(() => bucket.put("blob", new Uint8Array([255]).buffer));
    await call(() => bucket.remove("milk", {}));
    expect(await watcher.until(4)).toMatchObject([
      { event: "begin", id: "cafe-1", revision: 1 },
      {
        event: "put",
        id: "cafe-2",
        key: "milk",
        revision: 2,
        etag: "cafe-2",
        value: "2",
        size: 1,
        type: "text/x",
        metadata: { fat: 3 },
        expires: expect.any(String) as string,
        modified: expect.any(String) as string,
      },
      { event: "put", id: "cafe-3", key: "blob", base64: "/w==" },
      { event: "delete", id: "cafe-4", key: "milk", revision: 4 },
    ]);
  });

  it("sees the keys of a prefix, or one key, and values only where they are asked for", async () => {
    const bucket = await startBucket("watch views");
    const [prefix, key, bare] = [
      await watches(bucket, { prefix: "a/" }),
      await watches(bucket, { key: "a" }),
      await watches(bucket, { values: false }),
    ];
    for (const name of ["a", "a/1", "b", "a/"]) await put(bucket, name);
    expect(keys(await prefix.until(3))).toEqual(["begin undefined", "put a/1", "put a/"]);
    expect(keys(await key.until(2))).toEqual(["begin undefined", "put a"]);
    expect((await bare.until(5)).some((event) => "value" in event)).toBe(false);
  });

  it("hears of an expiry once, and under one revision, also if the timer of it fails at its end", async () => {
    const bucket = await startBucket("watch expired, failed");
    const watcher = await watches(bucket);
    await call(() => bucket.put("a", "1", { lifetime: { ttl: 60 } }));
    armFailpoint("timer: handled, row not removed", "throw");
    clock.aheadMs += 61_000;
    await runDurableObjectAlarm(bucket);
    setFailpointHook();
    await call(() => bucket.put("b", "2"));
    clock.aheadMs += 5_000;
    await runDurableObjectAlarm(bucket);
    await call(() => bucket.put("c", "3"));
    await expect.poll(() => keys(watcher.events).slice(-1)).toEqual(["put c"]);
    expect(keys(watcher.events).slice(-4)).toEqual(["put a", "expired a", "put b", "put c"]);
  });

  it("hears once that an entry has expired, whichever call finds it", async () => {
    const bucket = await startBucket("watch expired");
    const watcher = await watches(bucket);
    await call(() => bucket.put("a", "1", { lifetime: { ttl: 10 } }));
    clock.aheadMs += 10_000;
    await put(bucket, "a");
    expect(keys(await watcher.until(4)).slice(1)).toEqual(["put a", "expired a", "put a"]);
  });

  it("goes on behind a revision, and is told where the log does not reach back", async () => {
    const bucket = await startBucket("watch since", "cafe");
    for (const name of ["a", "b", "c"]) await put(bucket, name);
    const watcher = await watches(bucket, { since: { revision: 1, incarnation: "cafe" } });
    expect(keys(await watcher.until(3))).toEqual(["begin undefined", "put b", "put c"]);
    expect(keys(await (await watches(bucket, { since: { revision: 0 } })).until(4)).slice(1)).toEqual([
      "put a",
      "put b",
      "put c",
    ]);
    for (const since of [{ revision: 4 }, { revision: 3, incarnation: "beef" }]) {
      expect(await watch(bucket, { since })).toMatchObject({ refusal: { code: "revision_compacted" } });
    }
  });

  it("with a snapshot begins with all that is there, says where that ends, and goes on", async () => {
    const bucket = await startBucket("watch snapshot");
    await call(() =>
      bucket.batch(
        Array.from({ length: 200 }, (_, n) => ({
          op: "put" as const,
          key: `k${String(n).padStart(3, "0")}`,
          value: String(n),
          properties: {},
        })),
      ),
    );
    const watcher = await watches(bucket, { snapshot: true });
    const events = await watcher.until(202);
    expect(events[0]).not.toHaveProperty("id");
    expect(events.slice(1, 201).map(({ event, value }) => [event, value])).toEqual(
      Array.from({ length: 200 }, (_, n) => ["entry", String(n)]),
    );
    expect(events[201]).toMatchObject({ event: "end_of_snapshot", revision: 200, id: "aaaa-200" });
    await put(bucket, "after");
    expect(keys(await watcher.until(203)).at(-1)).toBe("put after");
  });

  it("without anything there hears the end of the snapshot at once", async () => {
    const bucket = await startBucket("watch empty snapshot");
    expect(await (await watches(bucket, { key: "a", snapshot: true })).until(2)).toMatchObject([
      { event: "begin" },
      { event: "end_of_snapshot", revision: 0 },
    ]);
  });

  it("hears of the bucket's end, and of its restart", async () => {
    const bucket = await startBucket("watch DOWN");
    const watcher = await watches(bucket);
    await call(() => bucket.stop("tidied up"));
    expect(await watcher.hears("DOWN")).toMatchObject({ reason: "tidied up" });
    expect(await watcher.closed).toEqual({ code: 1001, reason: "noproc" });
    const permanent = await startBucket("watch RESTARTED");
    const other = await watches(permanent);
    await call(() => permanent.exit("shaken"));
    expect(await other.hears("RESTARTED")).toMatchObject({ reason: "shaken" });
    expect(await other.closed).toEqual({ code: 1012, reason: "restarted" });
  });

  it("costs a bucket nothing while it sleeps, and misses nothing when it wakes", async () => {
    const bucket = await startBucket("watch hibernates");
    const watcher = await watches(bucket);
    await put(bucket, "a");
    await evictDurableObject(bucket);
    await put(env.BUCKET.get(bucket.id), "b");
    expect(keys(await watcher.until(3)).slice(1)).toEqual(["put a", "put b"]);
  });

  it("can be quiet for longer than the log is long", async () => {
    const bucket = await startBucket("watch quiet", "cafe");
    const watcher = await watches(bucket, { prefix: "quiet" });
    for (let n = 0; n < 13; n += 1) {
      await noise(bucket, 100);
    }
    const { id } = (await watcher.until(6)).at(-1) as WatchEvent;
    // Each quarter of the log it hears how far that is, so the last id is never too old.
    expect(watcher.events.slice(1).map(({ event }) => event)).toEqual(
      Array.from({ length: 5 }, () => "position"),
    );
    const revision = Number(String(id).split("-")[1]);
    expect(keys(await (await watches(bucket, { prefix: "quiet", since: { revision } })).until(1))).toEqual([
      "begin undefined",
    ]);
  });
});

describe("a watcher of a quiet key", () => {
  it("hears how far a replay went that had nothing for it", async () => {
    const bucket = await startBucket("watch quiet replay", "cafe");
    await put(bucket, "quiet");
    await noise(bucket, 70);
    const watcher = await watches(bucket, { key: "quiet", since: { revision: 1 } });
    const events = await watcher.until(2);
    expect(events.at(-1)).toMatchObject({ event: "position", id: "cafe-71" });
  });

  it("hears how far the log is before that forgets what is too old", async () => {
    const bucket = await startBucket("watch quiet aged", "cafe");
    const watcher = await watches(bucket, { key: "quiet" });
    await noise(bucket, 3);
    // Within a 24th of the time after that.
    clock.aheadMs += 25 * 3_600_000 + 1;
    await runDurableObjectAlarm(bucket);
    expect(await watcher.hears("position")).toMatchObject({ id: "cafe-3" });
    expect(await (await watches(bucket, { key: "quiet", since: { revision: 3 } })).until(1)).toMatchObject([
      { event: "begin" },
    ]);
  });
});

describe("a watcher that does not read", () => {
  const large = "x".repeat(60_000);

  it("is sent a window and no more, and goes on from the log when it reads again", async () => {
    const bucket = await startBucket("watch slow");
    const watcher = await watches(bucket, { reads: "nothing" });
    for (let n = 0; n < 40; n += 1) await put(bucket, `k${n}`, large);
    const events = await watcher.until(18);
    expect(events.length).toBeLessThan(25);
    for (let heard = 0; changes(events).length < 40; heard = events.length) {
      watcher.acknowledge();
      await watcher.until(heard + 1);
    }
    expect(changes(events).map(({ key }) => key)).toEqual(Array.from({ length: 40 }, (_, n) => `k${n}`));
    await put(bucket, "live again");
    expect(keys(await watcher.until(42)).at(-1)).toBe("put live again");
  });

  it.each(["the log", "a snapshot"])(
    "is sent a window and no more of %s, however much there is",
    async (from) => {
      const bucket = await startBucket(`window of ${from}`);
      const value = "x".repeat(60_000);
      const puts = Array.from(
        { length: 60 },
        (_, n) => ({ op: "put", key: `k${n}`, value, properties: {} }) as const,
      );
      await call(() => bucket.batch(puts));
      const start = from === "the log" ? { since: { revision: 0 } } : { snapshot: true };
      const watching = await watches(bucket, { ...start, reads: "nothing" });
      await watching.until(10);
      await call(() => bucket.totals());
      // A mebibyte, and the message that has filled it.
      expect(watching.events.length).toBeLessThan(25);
    },
  );

  it("has a smaller window where there are many", async () => {
    const bucket = await startBucket("watch many slow");
    const watchers = await Promise.all(
      Array.from({ length: 100 }, () => watches(bucket, { reads: "nothing" })),
    );
    for (let n = 0; n < 10; n += 1) await put(bucket, `k${n}`, large);
    for (const { until } of watchers) await until(7);
    const last = watchers.at(-1);
    expect(changes(last?.events ?? []).length).toBeLessThan(10);
    last?.acknowledge();
    await last?.until(11);
    expect(changes(last?.events ?? []).length).toBe(10);
  });

  it("is dropped after a while with a reason, and can come back behind what it had", async () => {
    const bucket = await startBucket("watch dropped", "cafe");
    const watcher = await watches(bucket, { reads: "nothing" });
    for (let n = 0; n < 30; n += 1) await put(bucket, `k${n}`, large);
    clock.aheadMs += 30_001;
    await put(bucket, "last");
    expect(await watcher.hears("dropped")).toMatchObject({
      code: "slow_reader",
      detail: expect.any(String) as string,
    });
    expect(await watcher.closed).toEqual({ code: 1013, reason: "slow_reader" });
    const had = changes(watcher.events);
    const again = await watches(bucket, {
      since: { revision: Number(had.at(-1)?.["revision"]), incarnation: "cafe" },
    });
    const all = [...had, ...changes(await again.until(32 - had.length))];
    expect(all.map(({ key }) => key)).toEqual([...Array.from({ length: 30 }, (_, n) => `k${n}`), "last"]);
  });

  it("is dropped also where nothing more happens", async () => {
    const bucket = await startBucket("watch dropped quiet");
    const watcher = await watches(bucket, { reads: "nothing" });
    for (let n = 0; n < 30; n += 1) await put(bucket, `k${n}`, large);
    clock.aheadMs += 29_000;
    await runDurableObjectAlarm(bucket);
    clock.aheadMs += 1_001;
    await runDurableObjectAlarm(bucket);
    expect(await watcher.closed).toEqual({ code: 1013, reason: "slow_reader" });
  });

  it("also a snapshot, is dropped, and is told to ask for another", async () => {
    const bucket = await startBucket("watch dropped snapshot");
    for (let n = 0; n < 100; n += 1) await put(bucket, `k${n}`, large);
    const watcher = await watches(bucket, { reads: "nothing", snapshot: true });
    clock.aheadMs += 30_001;
    await runDurableObjectAlarm(bucket);
    expect(await watcher.hears("dropped")).toMatchObject({
      code: "slow_reader",
      detail: expect.stringContaining("another snapshot") as string,
    });
  });

  it("while the log moves on without it is dropped, and has to begin anew", async () => {
    const bucket = await startBucket("watch lapped");
    const watcher = await watches(bucket, { reads: "nothing" });
    for (let n = 0; n < 20; n += 1) await put(bucket, `k${n}`, large);
    for (let n = 0; n < 11; n += 1) {
      await noise(bucket, 100);
    }
    watcher.acknowledge();
    expect(await watcher.hears("dropped")).toMatchObject({ code: "revision_compacted" });
  });

  it("and is behind when its bucket falls asleep is behind still when that wakes", async () => {
    const bucket = await startBucket("watch slow asleep");
    const watcher = await watches(bucket, { reads: "nothing" });
    for (let n = 0; n < 20; n += 1) await put(bucket, `k${n}`, large);
    await watcher.until(18);
    await evictDurableObject(bucket);
    const awake = env.BUCKET.get(bucket.id);
    await put(awake, "after");
    for (let heard = 0; changes(watcher.events).length < 21; heard = watcher.events.length) {
      watcher.acknowledge();
      await watcher.until(heard + 1);
    }
    expect(changes(watcher.events).map(({ key }) => key)).toEqual([
      ...Array.from({ length: 20 }, (_, n) => `k${n}`),
      "after",
    ]);
  });
});

describe("what watchers hear", () => {
  it("each of many hears everything in order", async () => {
    const bucket = await startBucket("watch many");
    const watchers = await Promise.all(Array.from({ length: 50 }, () => watches(bucket, { values: false })));
    for (let n = 0; n < 20; n += 1) await put(bucket, `k${n}`);
    for (const watcher of watchers) {
      expect((await watcher.until(21)).slice(1).map(({ revision }) => revision)).toEqual(
        Array.from({ length: 20 }, (_, n) => n + 1),
      );
      watcher.close();
    }
  });
});
