import type { BucketStub } from "../../src/rpc/bucket-rpc.ts";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { BoundedCache } from "../../src/lib/bounded-cache.ts";
import { call } from "../../src/otp/call.ts";
import type { Reply } from "../../src/otp/exit.ts";
import { READ, type BucketCall } from "../../src/directory/directory.ts";
import { ask, isolate } from "../support/directories.ts";

const put = (value: string) => (bucket: BucketStub) => bucket.put("milk", value);
const get = (bucket: BucketStub) => bucket.get("milk", {});

describe("invariant 1: truth", () => {
  it("a stale cache never reads what was there, and never writes it: the bucket was stopped", async () => {
    const [edge, other] = [isolate(), isolate()];
    await edge.directory.create("stale-stopped");
    await ask(edge.directory, "stale-stopped", put("old"));
    await other.directory.stop("stale-stopped");
    expect(edge.cache.size).toBe(1);
    expect(await ask(edge.directory, "stale-stopped", get)).toBeUndefined();
    expect(await ask(edge.directory, "stale-stopped", put("lost"))).toBeUndefined();
    expect(edge.cache.size).toBe(0);
  });

  it("a stale cache goes on to the bucket that has the name now: stopped and re-created", async () => {
    const [edge, other] = [isolate(), isolate()];
    await edge.directory.create("stale-recreated");
    await ask(edge.directory, "stale-recreated", put("old"));
    await other.directory.stop("stale-recreated");
    await other.directory.create("stale-recreated");
    expect(await ask(edge.directory, "stale-recreated", get)).toEqual({ outcome: "absent" });
    expect(await ask(edge.directory, "stale-recreated", put("new"))).toMatchObject({ revision: 1 });
    expect(await ask(other.directory, "stale-recreated", get)).toMatchObject({ entry: { value: "new" } });
  });

  it("a condition on the old bucket's tag does not hold for the new one, whatever its revision", async () => {
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

  it("a name whose bucket was wiped behind the registry's back is reported, and freed", async () => {
    const edge = isolate();
    const { registration } = await edge.directory.create("wiped-behind");
    await call(() => env.BUCKET.get(env.BUCKET.idFromString(registration.id)).stop("killed"));
    expect(await ask(edge.directory, "wiped-behind", get)).toBeUndefined();
    await edge.settled();
    expect(await edge.directory.lookup("wiped-behind")).toBeUndefined();
    expect(await edge.directory.create("wiped-behind")).toMatchObject({ created: true });
  });
});

describe("a pid and a name", () => {
  it("whereis keeps to the bucket that it found, and call asks whichever bucket has the name", async () => {
    const [edge, other] = [isolate(), isolate()];
    await edge.directory.create("pinned");
    const pinned = edge.directory.whereis("pinned");
    const named = <T>(request: (bucket: BucketStub) => Promise<Reply<T>>) =>
      edge.directory.call("pinned", request);
    for (const asked of [pinned, named])
      expect(await asked(put("old"))).toMatchObject({ reply: { etag: expect.any(String) as string } });
    await other.directory.stop("pinned");
    expect(await pinned(get)).toBeUndefined();
    await other.directory.create("pinned");
    expect(await pinned(put("lost"))).toBeUndefined();
    expect(await named(get)).toMatchObject({ reply: { outcome: "absent" } });
    // What it found first it keeps, even if that was found by a caller who knew of another.
    const stale = isolate();
    await ask(stale.directory, "pinned", put("new"));
    await other.directory.stop("pinned");
    await other.directory.create("pinned");
    const found = stale.directory.whereis("pinned");
    expect(await found(put("newest"))).toMatchObject({ reply: { revision: 1 } });
    expect(await found(get)).toMatchObject({ reply: { entry: { value: "newest" } } });
  });
});

describe("a connection that breaks", () => {
  /** Breaks it as often as is said, and counts. */
  const breaking = (times: number) => {
    let asked = 0;
    const request = (bucket: BucketStub) => {
      asked += 1;
      return asked <= times ? Promise.reject(new Error("Network connection lost.")) : get(bucket);
    };
    return { request, asked: () => asked };
  };

  it("under a read is not heard of: it is asked once more, by name and by whereis", async () => {
    const { directory } = isolate();
    await directory.create("read-again");
    const named: BucketCall = (request, options) => directory.call("read-again", request, options);
    for (const asks of [named, directory.whereis("read-again")]) {
      const { request, asked } = breaking(1);
      expect(await asks(request, READ)).toMatchObject({ reply: { outcome: "absent" } });
      expect(asked()).toBe(2);
      expect(await asks(get, READ)).toMatchObject({ reply: { outcome: "absent" } });
    }
  });

  it("twice is told, and under anything but a read at once", async () => {
    const { directory } = isolate();
    await directory.create("not-again");
    const [read, other] = [breaking(2), breaking(1)];
    await expect(ask(directory, "not-again", read.request, READ)).rejects.toMatchObject({
      reason: "noconnection",
    });
    expect(read.asked()).toBe(2);
    await expect(ask(directory, "not-again", other.request)).rejects.toMatchObject({
      reason: "noconnection",
    });
    expect(other.asked()).toBe(1);
  });
});

describe("the hot path", () => {
  it("is one hop: what is cached is called without the registry", async () => {
    const edge = isolate();
    await edge.directory.create("hot");
    // A directory that can't reach any registry still gets through.
    const unreachable = { ...env, REGISTRY: undefined as unknown as typeof env.REGISTRY, BUCKET: env.BUCKET };
    const { Directory } = await import("../../src/directory/directory.ts");
    const hot = new Directory(
      unreachable,
      { partitions: 16, callTimeoutMs: 60_000 },
      edge.cache,
      () => undefined,
    );
    expect(await hot.call("hot", put("1"))).toMatchObject({ reply: { created: true } });
  });
});

describe("the cache", () => {
  it("is bounded, and forgets what was used least recently", () => {
    const cache = new BoundedCache<number>({ limit: 3 });
    for (const [index, name] of ["a", "b", "c"].entries()) cache.set(name, index);
    cache.get("a");
    cache.set("d", 3);
    expect([cache.get("a"), cache.get("b"), cache.get("c"), cache.get("d")]).toEqual([0, undefined, 2, 3]);
    expect(cache.size).toBe(3);
  });

  it("counts weight, where values have one", () => {
    const cache = new BoundedCache<string>({ limit: 10, weigh: (text) => text.length });
    cache.set("a", "12345");
    cache.set("b", "12345");
    cache.set("b", "1234567");
    expect([cache.get("a"), cache.get("b")]).toEqual([undefined, "1234567"]);
    cache.set("c", "x".repeat(11));
    expect(cache.size).toBe(0);
    cache.clear();
    cache.set("d", "1234567890");
    expect(cache.size).toBe(1);
  });
});
