/** The wall clock is put back by an hour, or forward: what a bucket keeps for a while is kept for that while. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, onTestFinished } from "vitest";
import { REMEMBER_MS, Remembered } from "../../src/store/idempotency.ts";
import { KEEP_MS } from "../../src/model/large-value.ts";
import { Leases } from "../../src/store/leases.ts";
import { call } from "../../src/otp/call.ts";
import { startBucket } from "../support/buckets.ts";
import { withEntries } from "../support/entries.ts";
import { clock } from "../support/objects.ts";
import { watches } from "../support/watch.ts";

const HOUR_MS = 3_600_000;
const JUMPS: [string, number][] = [
  ["back", -HOUR_MS],
  ["forward", HOUR_MS],
];

describe.each(JUMPS)("when the clock is put %s", (way, jump) => {
  it("a result is replayed as before, and forgotten after a day at the latest", async () => {
    await runInDurableObject(env.BUCKET.getByName(`clock ${way} results`), (_, { storage: { sql } }) => {
      let now = 10 * REMEMBER_MS;
      const remembered = new Remembered(sql, () => now);
      remembered.createTable();
      const once = (): boolean => remembered.once({ key: "k", fingerprint: "" }, () => "{}").replayed;
      expect(once()).toBe(false);
      now += jump;
      expect(once()).toBe(true);
      remembered.sweep(now);
      expect(once()).toBe(true);
      now += REMEMBER_MS;
      remembered.sweep(now);
      expect(once()).toBe(false);
    });
  });

  it("changes are kept for their age, and no longer", async () => {
    await withEntries(
      `clock ${way} log`,
      ({ entries, time }) => {
        time.now = 10 * HOUR_MS;
        entries.write(() => entries.put("a", "1"));
        time.now += jump;
        entries.write(() => entries.put("b", "1"));
        expect(entries.log.trim(time.now)).toBeLessThanOrEqual(time.now + 2 * HOUR_MS);
        expect(entries.log.after(0).length).toBe(2);
        time.now += 2 * HOUR_MS;
        expect(entries.log.trim(time.now)).toBeUndefined();
        expect(entries.log.after(0)).toEqual([]);
      },
      { maxAgeMs: 2 * HOUR_MS },
    );
  });

  it("an abandoned upload is removed, and not too early when the clock was put back", async () => {
    await withEntries(`clock ${way} upload`, ({ entries, time }) => {
      time.now = 10 * HOUR_MS;
      entries.write(() => entries.large.append("u", 0, new ArrayBuffer(10), time.now));
      time.now += jump;
      expect(entries.write(() => entries.large.sweep(time.now))).toBe(jump < 0);
      time.now += KEEP_MS;
      expect(entries.write(() => entries.large.sweep(time.now))).toBe(false);
    });
  });

  it("a reader that is not heard of is forgotten, and not too soon when it was put back", () => {
    const leases = new Leases(KEEP_MS);
    let now = 10 * HOUR_MS;
    leases.renew("u", { lease: "r", last: false }, now);
    now += jump;
    expect(leases.values(now).has("u")).toBe(jump < 0);
    now += KEEP_MS;
    expect(leases.values(now).has("u")).toBe(false);
  });

  it("a watcher that does not read is dropped, and not too soon when it was put back", async () => {
    const bucket = await startBucket(`clock ${way} watcher`);
    const before = { ...clock };
    onTestFinished(() => void Object.assign(clock, before));
    clock.stoppedAt = Date.now();
    const watcher = await watches(bucket, { reads: "nothing" });
    const large = "x".repeat(60_000);
    for (let n = 0; n < 30; n += 1) await call(() => bucket.put(`k${n}`, large));
    clock.aheadMs += jump;
    await call(() => bucket.put("awake", ""));
    await runDurableObjectAlarm(bucket);
    clock.aheadMs += 29_999;
    await call(() => bucket.put("awake", ""));
    expect(watcher.events.some(({ event }) => event === "dropped")).toBe(jump > 0);
    clock.aheadMs += 1;
    await runDurableObjectAlarm(bucket);
    expect(await watcher.closed).toEqual({ code: 1013, reason: "slow_reader" });
  });
});
