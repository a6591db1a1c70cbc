/** The bucket's object: its calls, revisions, conditions, and commands that travel together. */

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { Bucket } from "../../src/bucket/bucket.ts";
import { call } from "../../src/otp/call.ts";
import { bytes, startBucket } from "../support/buckets.ts";

describe("a bucket without a live incarnation", () => {
  it("answers noproc to every call, and writes no schema", async () => {
    const bucket = env.BUCKET.get(env.BUCKET.newUniqueId());
    for (const request of [
      () => bucket.get("milk", {}),
      () => bucket.info("milk", {}),
      () => bucket.put("milk", "1"),
      () => bucket.remove("milk", {}),
      () => bucket.list({ limit: 1 }),
      () => bucket.increment("milk", { by: 1n }),
      () => bucket.batch([{ op: "get", key: "milk" }]),
      () => bucket.transact({ if: [], then: [], else: [] }),
      () => bucket.removeRange({}),
      () => bucket.append("upload", 0, new ArrayBuffer(1)),
      () => bucket.abandon("upload"),
      () => bucket.chunk("upload", 0, { lease: "r", last: true }),
      () => bucket.totals(),
      () => bucket.run([{ verb: "PUT", bucket: "x", key: "milk", value: "1" }]),
    ]) {
      expect(await request()).toEqual({ exit: "noproc" });
    }
    const upgrade = await bucket.fetch("http://bucket/connect", { headers: { Upgrade: "websocket" } });
    expect([upgrade.webSocket, await upgrade.json()]).toEqual([null, { exit: "noproc" }]);
    const tables = await runInDurableObject(bucket, (_, state) =>
      state.storage.sql.exec("SELECT name FROM sqlite_schema").toArray(),
    );
    expect(tables).toEqual([]);
  });

  it("has lost its data for good", async () => {
    const bucket = await startBucket("stopped");
    await call(() => bucket.put("milk", "1"));
    await call(() => bucket.stop("normal"));
    expect(await bucket.get("milk", {})).toEqual({ exit: "noproc" });
    await evictDurableObject(bucket);
    expect(await env.BUCKET.get(bucket.id).get("milk", {})).toEqual({ exit: "noproc" });
  });
});

describe("revisions", () => {
  it("go up by one with each change, and not with what changes nothing", async () => {
    const bucket = await startBucket("revisions");
    expect(await call(() => bucket.put("a", "1"))).toMatchObject({ revision: 1, created: true });
    expect(await call(() => bucket.put("b", "1"))).toMatchObject({ revision: 2, created: true });
    expect(await call(() => bucket.put("a", "1"))).toMatchObject({ revision: 3, created: false });
    await call(() => bucket.remove("nothing", {}));
    await call(() => bucket.remove("a", {}));
    expect(await call(() => bucket.totals())).toMatchObject({ entries: 1, bytes: 2, revision: 4 });
  });

  it("go on after an eviction", async () => {
    const bucket = await startBucket("revisions evicted");
    await call(() => bucket.put("a", "1"));
    await call(() => bucket.remove("a", {}));
    await evictDurableObject(bucket);
    const again = env.BUCKET.get(bucket.id);
    expect(await call(() => again.put("a", "1"))).toMatchObject({ revision: 3 });
  });

  it("make the entity tag, with the incarnation", async () => {
    const bucket = await startBucket("etag", "cafe");
    expect(await call(() => bucket.put("a", "1"))).toMatchObject({ etag: "cafe-1" });
    expect(await call(() => bucket.get("a", {}))).toMatchObject({ etag: "cafe-1" });
  });
});

describe("conditions", () => {
  it("If-Match lets a write through only for the tag that is there", async () => {
    const bucket = await startBucket("if-match", "cafe");
    await expect(call(() => bucket.put("a", "1", { conditions: { ifMatch: "*" } }))).rejects.toMatchObject({
      code: "precondition_failed",
    });
    await call(() => bucket.put("a", "1"));
    await expect(
      call(() => bucket.put("a", "2", { conditions: { ifMatch: ["cafe-7"] } })),
    ).rejects.toMatchObject({ code: "precondition_failed" });
    expect(
      await call(() => bucket.put("a", "3", { conditions: { ifMatch: ["cafe-7", "cafe-1"] } })),
    ).toMatchObject({});
    await expect(call(() => bucket.remove("a", { ifMatch: ["cafe-1"] }))).rejects.toMatchObject({
      code: "precondition_failed",
    });
    expect(await call(() => bucket.remove("a", { ifMatch: "*" }))).toBe(true);
  });

  it("If-None-Match: * lets only the first one create", async () => {
    const bucket = await startBucket("if-none-match");
    expect(await call(() => bucket.put("a", "1", { conditions: { ifNoneMatch: "*" } }))).toMatchObject({
      created: true,
    });
    await expect(
      call(() => bucket.put("a", "2", { conditions: { ifNoneMatch: "*" } })),
    ).rejects.toMatchObject({ code: "precondition_failed" });
    expect(await call(() => bucket.get("a", {}))).toMatchObject({ entry: { value: "1" } });
  });

  it("spare a reader what it has, and stop one that wants something else", async () => {
    const bucket = await startBucket("conditional read", "cafe");
    await call(() => bucket.put("a", "1"));
    expect(await call(() => bucket.get("a", { ifNoneMatch: ["cafe-1"] }))).toEqual({
      outcome: "not_modified",
      etag: "cafe-1",
    });
    await expect(call(() => bucket.get("a", { ifMatch: ["cafe-2"] }))).rejects.toMatchObject({
      code: "precondition_failed",
    });
    expect(await call(() => bucket.get("b", { ifNoneMatch: "*" }))).toEqual({ outcome: "absent" });
  });
});

describe("a refused write", () => {
  it.each([
    ["put", (bucket: Bucket) => bucket.put("a", "2", { conditions: { ifMatch: ["cafe-7"] } })],
    ["delete", (bucket: Bucket) => bucket.remove("a", { ifMatch: ["cafe-7"] })],
    [
      "increment",
      (bucket: Bucket) => bucket.increment("a", { by: 1n }, { conditions: { ifMatch: ["cafe-7"] } }),
    ],
    [
      "transaction",
      (bucket: Bucket) =>
        bucket.transact({
          if: [],
          then: [{ op: "delete", key: "a", conditions: { ifMatch: ["cafe-7"] } }],
          else: [],
        }),
    ],
  ] as const)("leaves the cache as it is: %s", async (_, refused) => {
    const bucket = await startBucket("refused", "cafe");
    await call(() => bucket.put("a", "1"));
    await runInDurableObject(bucket, async (instance, { storage }) => {
      const statements = vi.spyOn(storage.sql, "exec");
      expect(await refused(instance)).toMatchObject({ refusal: { code: "precondition_failed" } });
      expect(await instance.get("a", {})).toMatchObject({ reply: { entry: { value: "1" } } });
      expect(statements).not.toHaveBeenCalled();
    });
  });
});

describe("commands that travel together", () => {
  it("are answered in order, and leave the others alone when one is turned down", async () => {
    const bucket = await startBucket("batch");
    const answers = await call(() =>
      bucket.run([
        { verb: "PUT", bucket: "b", key: "milk", value: "much" },
        { verb: "INCR", bucket: "b", key: "milk", by: 1n },
        { verb: "INCR", bucket: "b", key: "eggs", by: 12n },
        { verb: "GET", bucket: "b", key: "milk" },
        { verb: "DELETE", bucket: "b", key: "milk" },
        { verb: "GET", bucket: "b", key: "milk" },
        { verb: "KEYS", bucket: "b", prefix: "", after: "" },
      ]),
    );
    expect(answers).toMatchObject([
      { kind: "ok" },
      { kind: "error", failure: { code: "not_an_integer" } },
      { kind: "value", value: "12" },
      { kind: "value", value: "much" },
      { kind: "ok" },
      { kind: "absent" },
      { kind: "names", names: ["eggs"] },
    ]);
  });

  it("are answered in part when the answers grow too large, and the rest is not carried out", async () => {
    const bucket = await startBucket("large batch");
    const value = "x".repeat(1_048_576);
    await call(() => bucket.put("big", value));
    const commands = [
      ...Array.from({ length: 9 }, () => ({ verb: "GET", bucket: "b", key: "big" }) as const),
      { verb: "PUT", bucket: "b", key: "after", value: "1" } as const,
    ];
    const answers = await call(() => bucket.run(commands));
    expect(answers.length).toBeGreaterThanOrEqual(1);
    expect(answers.length).toBeLessThan(9);
    expect(await call(() => bucket.get("after", {}))).toEqual({ outcome: "absent" });
  });
});

describe("values", () => {
  it("are bytes, whatever they are, and keep their type", async () => {
    const bucket = await startBucket("bytes");
    await call(() => bucket.put("a", bytes(0, 255, 10), { type: "image/x" }));
    const found = await call(() => bucket.get("a", {}));
    expect(found).toMatchObject({ entry: { type: "image/x", size: 3 } });
    expect(found.outcome === "found" && new Uint8Array(found.entry.value as ArrayBuffer)).toEqual(
      new Uint8Array([0, 255, 10]),
    );
  });
});
