/**
 * Invariant 1, truth. Once the end of a bucket is acknowledged, or its DOWN is sent, no lookup returns the bucket, and no
 * read or write reaches its data: from no isolate, however stale its cache is.
 */

import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call } from "../../src/otp/call.ts";
import type { BucketStub } from "../../src/rpc/bucket-rpc.ts";
import { ask, exitBucket, type Isolate, isolate } from "../support/directories.ts";
import { bucketOf, bucketState, kindsOf, rowOf } from "../support/faults.ts";
import { clock } from "../support/objects.ts";
import { getMilk, shopping } from "../support/shopping.ts";

const put = (value: string) => (bucket: BucketStub) => bucket.put("milk", value);
const get = (bucket: BucketStub) => bucket.get("milk", {});

describe("invariant 1: truth, however a bucket ends", () => {
  it.each([
    ["kill", "killed", (caller: Isolate, name: string) => exitBucket(caller.directory, name, "kill")],
    ["an exit signal", "boom", (caller: Isolate, name: string) => exitBucket(caller.directory, name, "boom")],
    [
      "a crash of its own code",
      "crash: out of cheese",
      async (_: Isolate, name: string) => {
        const id = (await rowOf(name))?.id ?? "";
        await expect(call(() => bucketOf(id).crash("out of cheese"))).rejects.toMatchObject({
          reason: { crash: "out of cheese" },
        });
      },
    ],
  ] as const)(
    "a temporary bucket that ended by %s is gone at once for every caller",
    async (how, reason, end) => {
      const name = `gone-${how.replaceAll(" ", "-")}`;
      const caller = await shopping(name, "temporary");
      const stale = isolate();
      await getMilk(stale, name);
      await end(caller, name);
      expect(await isolate().directory.lookup(name)).toBeUndefined();
      expect(await getMilk(stale, name)).toBeUndefined();
      expect(await getMilk(caller, name)).toBeUndefined();
      expect(await kindsOf(name)).toEqual(["created", `DOWN ${reason}`]);
      // The mark of its end is there for a minute, and then nothing is.
      expect(await bucketState(caller.id)).toMatchObject({ incarnation: undefined, kept: 3 });
      clock.aheadMs += 61_000;
      await runDurableObjectAlarm(bucketOf(caller.id));
      expect(await bucketState(caller.id)).toMatchObject({ incarnation: undefined, kept: 0 });
    },
  );

  it("an exit signal with the reason normal ends nothing", async () => {
    const caller = await shopping("normal", "temporary");
    expect(await exitBucket(caller.directory, "normal", "normal")).toBe(true);
    expect(await getMilk(caller, "normal")).toMatchObject({ outcome: "found" });
  });

  it("an exit signal to an unknown name reports that there is no bucket", async () => {
    expect(await exitBucket(isolate().directory, "unknown", "kill")).toBe(false);
  });
});

describe("invariant 1: truth, however stale a cache is", () => {
  it("a stale cache neither reads nor writes a bucket that was stopped", async () => {
    const [edge, other] = [isolate(), isolate()];
    await edge.directory.create("stale-stopped");
    await ask(edge.directory, "stale-stopped", put("old"));
    await other.directory.stop("stale-stopped");
    expect(edge.cache.size).toBe(1);
    expect(await ask(edge.directory, "stale-stopped", get)).toBeUndefined();
    expect(await ask(edge.directory, "stale-stopped", put("lost"))).toBeUndefined();
    expect(edge.cache.size).toBe(0);
  });

  it("a stale cache goes on to the bucket that was created again under the name", async () => {
    const [edge, other] = [isolate(), isolate()];
    await edge.directory.create("stale-recreated");
    await ask(edge.directory, "stale-recreated", put("old"));
    await other.directory.stop("stale-recreated");
    await other.directory.create("stale-recreated");
    expect(await ask(edge.directory, "stale-recreated", get)).toEqual({ outcome: "absent" });
    expect(await ask(edge.directory, "stale-recreated", put("new"))).toMatchObject({ revision: 1 });
    expect(await ask(other.directory, "stale-recreated", get)).toMatchObject({ entry: { value: "new" } });
  });

  it("an etag of the old bucket does not match in the new one, even at the same revision", async () => {
    const { directory } = isolate();
    await directory.create("stale-tag");
    const old = await ask(directory, "stale-tag", put("old"));
    await directory.stop("stale-tag");
    await directory.create("stale-tag");
    await ask(directory, "stale-tag", put("new"));
    const tag = old?.etag ?? "";
    await expect(
      ask(directory, "stale-tag", (bucket) => bucket.put("milk", "lost", { conditions: { ifMatch: [tag] } })),
    ).rejects.toMatchObject({ code: "precondition_failed" });
  });

  it("a caller reports a bucket that was wiped without a notice, and its name is freed", async () => {
    const edge = isolate();
    const { registration } = await edge.directory.create("wiped-behind");
    await call(() => env.BUCKET.get(env.BUCKET.idFromString(registration.id)).stop("killed"));
    expect(await ask(edge.directory, "wiped-behind", get)).toBeUndefined();
    await edge.settled();
    expect(await edge.directory.lookup("wiped-behind")).toBeUndefined();
    expect(await edge.directory.create("wiped-behind")).toMatchObject({ created: true });
  });
});
