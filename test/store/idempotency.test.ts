/** Results that are remembered by idempotency key. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call } from "../../src/otp/call.ts";
import { Remembered } from "../../src/store/idempotency.ts";
import { startBucket } from "../support/buckets.ts";
import { abortObject } from "../support/faults.ts";

describe("an idempotency key", () => {
  it("makes an increment happen once, also after the object was reset", async () => {
    const bucket = await startBucket("idempotent increment");
    const once = { idempotency: { key: "k", fingerprint: "f" } };
    const first = await call(() => bucket.increment("n", { by: 5n }, once));
    expect(first.replayed).toBe(false);
    expect(JSON.parse(first.result)).toMatchObject({ value: 5, revision: 1 });
    await abortObject(env.BUCKET.get(bucket.id));
    const again = env.BUCKET.get(bucket.id);
    expect(await call(() => again.increment("n", { by: 5n }, once))).toEqual({ ...first, replayed: true });
    expect(await call(() => again.get("n", {}))).toMatchObject({ entry: { value: "5", revision: 1 } });
  });

  it("belongs to one request", async () => {
    const bucket = await startBucket("idempotency reused");
    const empty = { if: [], then: [], else: [] };
    await call(() => bucket.transact(empty, { key: "k", fingerprint: "one" }));
    await expect(
      call(() => bucket.transact(empty, { key: "k", fingerprint: "other" })),
    ).rejects.toMatchObject({
      code: "idempotency_key_reused",
    });
  });

  it("of a request that was turned down may be used again", async () => {
    const bucket = await startBucket("idempotency refused");
    const once = { idempotency: { key: "k", fingerprint: "f" } };
    await call(() => bucket.put("n", "text"));
    await expect(call(() => bucket.increment("n", { by: 1n }, once))).rejects.toMatchObject({
      code: "not_an_integer",
    });
    await call(() => bucket.put("n", "1"));
    expect(await call(() => bucket.increment("n", { by: 1n }, once))).toMatchObject({
      result: expect.stringContaining('"value":2') as string,
    });
  });

  it("is remembered while all results fit their bytes, the oldest are forgotten first", async () => {
    await runInDurableObject(env.BUCKET.getByName("remembered bytes"), (_, { storage: { sql } }) => {
      const limits = { results: 100, bytes: 1_000 };
      const remembered = new Remembered(sql, () => 0, limits);
      remembered.createTable();
      const replayed = (key: string, size: number): boolean =>
        remembered.once({ key, fingerprint: "" }, () => "x".repeat(size)).replayed;
      for (const key of ["a", "b", "c"]) replayed(key, 298);
      expect(remembered.bytes).toBe(900);
      replayed("d", 298);
      expect(remembered.bytes).toBe(900);
      expect(["a", "d", "c"].map((key) => replayed(key, 298))).toEqual([false, true, true]);
      // A result that is too large by itself is remembered all the same, and is then the only one.
      replayed("large", 5_000);
      expect(replayed("large", 5_000)).toBe(true);
      expect(remembered.bytes).toBe(5_010);
      expect(new Remembered(sql, () => 0, limits).bytes).toBe(5_010);
    });
  });

  it("counts in what the bucket says that it keeps, until it is forgotten", async () => {
    const bucket = await startBucket("remembered totals");
    const totals = async (): Promise<unknown> => (await call(() => bucket.totals())).bytes;
    await call(() => bucket.put("k", "v"));
    expect(await totals()).toBe(2);
    const { result } = await call(() =>
      bucket.increment("n", { by: 1n }, { idempotency: { key: "i", fingerprint: "f" } }),
    );
    expect(await totals()).toBe(4 + 2 + 1 + result.length);
    expect(await call(() => bucket.probe())).toMatchObject({ bytes: 4 + 2 + 1 + result.length });
    // A request that is turned down leaves nothing to be counted.
    const refused = call(() =>
      bucket.increment("k", { by: 1n }, { idempotency: { key: "j", fingerprint: "f" } }),
    );
    await expect(refused).rejects.toMatchObject({ code: "not_an_integer" });
    expect(await totals()).toBe(4 + 2 + 1 + result.length);
  });

  it("is remembered for a day, and ten thousand of them", async () => {
    await runInDurableObject(env.BUCKET.getByName("remembered"), (_, { storage: { sql } }) => {
      const time = { now: 0 };
      const remembered = new Remembered(sql, () => time.now);
      remembered.createTable();
      const replayed = (key: string): boolean =>
        remembered.once({ key, fingerprint: "" }, () => "1").replayed;
      const count = (): unknown => sql.exec("SELECT count(*) AS n FROM remembered").one()["n"];
      replayed("first");
      time.now += 86_399_999;
      expect(replayed("first")).toBe(true);
      time.now += 1;
      expect(replayed("first")).toBe(false);
      for (let n = 0; n < 10_001; n += 1) replayed(`k${n}`);
      expect(count()).toBe(10_000);
      expect([replayed("k0"), replayed("k10000")]).toEqual([false, true]);
      time.now += 86_400_000;
      for (let n = 0; n < 2; n += 1) replayed(`tomorrow ${n}`);
      expect(count()).toBe(10_000 + 2 - 8);
    });
  });
});

describe("a sweep of what is remembered", () => {
  it("forgets a thousand at a time, and comes again an hour later at the soonest", async () => {
    await runInDurableObject(env.BUCKET.getByName("swept"), (_, { storage: { sql } }) => {
      const time = { now: 0 };
      const remembered = new Remembered(sql, () => time.now);
      remembered.createTable();
      for (let n = 0; n < 2_500; n += 1) {
        time.now = n;
        remembered.once({ key: `k${n}`, fingerprint: "" }, () => "1");
      }
      time.now = 86_400_000 + 2_399;
      expect(remembered.sweep(time.now)).toBe(time.now);
      expect(remembered.sweep(time.now)).toBe(time.now);
      const next = remembered.sweep(time.now);
      expect(next).toBe(time.now + 3_600_000);
      expect(sql.exec("SELECT count(*) AS n FROM remembered").one()["n"]).toBe(100);
      time.now = Number(next);
      expect(remembered.sweep(time.now)).toBeUndefined();
    });
  });
});

describe("timers of a bucket", () => {
  it("forget a key's result after a day, even if no request comes", async () => {
    const { clock } = await import("../support/objects.ts");
    const bucket = await startBucket("remembered alarm");
    // One that was refused is undone, and the timer not with it.
    await call(() => bucket.put("text", "much"));
    const refused = { idempotency: { key: "refused", fingerprint: "f" } };
    await expect(call(() => bucket.increment("text", { by: 1n }, refused))).rejects.toMatchObject({
      code: "not_an_integer",
    });
    await call(() => bucket.increment("n", { by: 1n }, { idempotency: { key: "k", fingerprint: "f" } }));
    const remembered = () =>
      runInDurableObject(bucket, (_, { storage }) =>
        storage.sql.exec("SELECT key FROM remembered").toArray(),
      );
    expect(await remembered()).toEqual([{ key: "k" }]);
    clock.aheadMs += 86_400_001;
    await runDurableObjectAlarm(bucket);
    expect(await remembered()).toEqual([]);
  });

  it("remove what has expired, by alarm, and set themselves again", async () => {
    const { clock } = await import("../support/objects.ts");
    const bucket = await startBucket("expiry alarm");
    await call(() => bucket.put("a", "1", { lifetime: { ttl: 10 } }));
    await call(() => bucket.put("b", "1", { lifetime: { ttl: 20 } }));
    await call(() => bucket.put("c", "1"));
    for (const [ms, entries] of [
      [10_000, 2],
      [10_000, 1],
    ] as const) {
      clock.aheadMs += ms;
      await runDurableObjectAlarm(bucket);
      expect(await call(() => bucket.totals())).toMatchObject({ entries });
    }
  });
});
