/** getAndDelete: one step reads an entry and deletes it. */

import { describe, expect, it } from "vitest";
import type { BatchResults } from "../../src/contract/operations.ts";
import { CHUNK_BYTES } from "../../src/model/limits.ts";
import { call } from "../../src/otp/call.ts";
import { startBucket } from "../support/buckets.ts";

type Bucket = Awaited<ReturnType<typeof startBucket>>;

const take = (key: string) => ({ op: "getAndDelete", key }) as const;
const resultsOf = (text: string): BatchResults["results"] => (JSON.parse(text) as BatchResults).results;
const keysOf = async (bucket: Bucket): Promise<string[]> =>
  (await call(() => bucket.entries({ limit: 1_000 }))).entries.map(({ key }) => key);

/** Stores a value of two chunks. */
async function putLarge(bucket: Bucket, key: string): Promise<void> {
  const chunk = new ArrayBuffer(CHUNK_BYTES);
  await call(() => bucket.append(key, 0, chunk));
  await call(() => bucket.append(key, 1, chunk));
  await call(() => bucket.put(key, { large: key, size: 2 * CHUNK_BYTES }));
}

describe("getAndDelete in a batch", () => {
  it("has the result of a get, and leaves nothing for the next one", async () => {
    const bucket = await startBucket("get and delete", "cafe");
    await call(() => bucket.put("a", "1", { metadata: '{"x":1}' }));
    expect(
      resultsOf(await call(() => bucket.batch([take("a"), take("a"), { op: "get", key: "a" }]))),
    ).toEqual([
      expect.objectContaining({
        op: "getAndDelete",
        found: true,
        key: "a",
        value: "1",
        etag: "cafe-1",
        metadata: { x: 1 },
        type: "text/plain; charset=utf-8",
      }),
      { op: "getAndDelete", found: false, key: "a" },
      { op: "get", found: false, key: "a" },
    ]);
    expect(await call(() => bucket.totals())).toMatchObject({ entries: 0, bytes: 0, revision: 2 });
  });

  it("deletes nothing if its condition does not hold", async () => {
    const bucket = await startBucket("get and delete conditions", "cafe");
    await call(() => bucket.put("a", "1"));
    const [other, missing, own] = resultsOf(
      await call(() =>
        bucket.batch([
          { ...take("a"), conditions: { ifMatch: ["cafe-7"] } },
          { ...take("b"), conditions: { ifMatch: "*" } },
          { ...take("a"), conditions: { ifMatch: ["cafe-1"] } },
        ]),
      ),
    );
    expect([other, missing]).toMatchObject([
      { error: { code: "precondition_failed" } },
      { error: { code: "precondition_failed" } },
    ]);
    expect(own).toMatchObject({ found: true, value: "1" });
  });

  it("deletes no value that it can't answer", async () => {
    const bucket = await startBucket("get and delete too large");
    await putLarge(bucket, "large");
    const keys = Array.from({ length: 13 }, (_, n) => `key ${n + 10}`);
    for (const key of keys) await call(() => bucket.put(key, "x".repeat(CHUNK_BYTES)));
    const results = resultsOf(await call(() => bucket.batch(["large", ...keys].map(take))));
    expect(results[0]).toMatchObject({ op: "getAndDelete", error: { code: "value_too_large" } });
    expect(results.filter((result) => "found" in result)).toHaveLength(11);
    expect(results.slice(-2)).toMatchObject([
      { error: { code: "result_too_large" } },
      { error: { code: "result_too_large" } },
    ]);
    expect(await keysOf(bucket)).toEqual([...keys.slice(-2), "large"]);
  });
});

describe("getAndDelete in a transaction", () => {
  it.each(["value_too_large", "result_too_large"])("undoes all of it for %s", async (code) => {
    const bucket = await startBucket(`get and delete transaction ${code}`);
    await call(() => bucket.put("small", "1"));
    const last = code === "value_too_large" ? ["large"] : Array.from({ length: 12 }, (_, n) => `key ${n}`);
    if (code === "value_too_large") await putLarge(bucket, "large");
    else for (const key of last) await call(() => bucket.put(key, "x".repeat(CHUNK_BYTES)));
    const before = await keysOf(bucket);
    await expect(
      call(() => bucket.transact({ if: [], then: ["small", ...last].map(take), else: [] })),
    ).rejects.toMatchObject({ code });
    expect(await keysOf(bucket)).toEqual(before);
  });

  it("gives a result that is remembered for an idempotency key, or deletes nothing", async () => {
    const bucket = await startBucket("get and delete once");
    const once = (key: string) =>
      call(() => bucket.transact({ if: [], then: [take(key)], else: [] }, { key, fingerprint: `2:${key}` }));
    await call(() => bucket.put("ticket", "7"));
    const first = await once("ticket");
    expect(resultsOf(first.result)).toMatchObject([{ found: true, value: "7" }]);
    expect(await once("ticket")).toEqual({ ...first, replayed: true });
    await call(() => bucket.put("long", "x".repeat(600_000)));
    await expect(once("long")).rejects.toMatchObject({ code: "result_too_large" });
    expect(await keysOf(bucket)).toEqual(["long"]);
  });
});

describe("getAndDelete by itself", () => {
  it("deletes a large value, whose chunks the holder of the lease can read as long as it renews it", async () => {
    const bucket = await startBucket("get and delete large", "cafe");
    await putLarge(bucket, "large");
    expect(await call(() => bucket.getAndDelete("large", {}, "lease"))).toMatchObject({
      outcome: "found",
      entry: { large: "large", size: 2 * CHUNK_BYTES },
      etag: "cafe-1",
    });
    expect(await keysOf(bucket)).toEqual([]);
    // More replaced values than are kept for readers that have not begun.
    for (let n = 0; n < 60; n += 1) {
      await putLarge(bucket, `other ${n}`);
      await call(() => bucket.remove(`other ${n}`, {}));
    }
    const chunk = await call(() => bucket.chunk("large", 0, { lease: "lease", last: false }));
    expect(chunk?.byteLength).toBe(CHUNK_BYTES);
    expect(await call(() => bucket.chunk("other 0", 0, { lease: "other", last: false }))).toBeNull();
  });
});
