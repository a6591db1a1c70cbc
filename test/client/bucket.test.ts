/** A bucket's values through the client: typed, listed, updated, exported, imported. */

import { describe, expect, it, vi } from "vitest";
import {
  BucketNotFoundError,
  bytes,
  PreconditionFailedError,
  text,
  TimeoutError,
} from "../../src/client/index.ts";
import { problem, scripted, scriptedWith, value } from "../e2e/support/scripted-fetch.ts";
import { bucketOf, kv } from "./support/shared-kv.ts";

describe("a bucket's values", () => {
  it("have the types that the bucket was opened with", async () => {
    const cart = await bucketOf<{ milk: number; note: { text: string } }>("client-typed");
    await cart.put("milk", 3);
    await cart.put("note", { text: "soon" }, { ttl: 60, metadata: { by: "Zoë" } });
    expect((await cart.get("milk"))?.toFixed(1)).toBe("3.0");
    expect((await cart.get("note"))?.text).toBe("soon");
    expect(await cart.entry("note")).toMatchObject({
      type: "application/json",
      metadata: { by: "Zoë" },
      expires: expect.any(Date) as Date,
    });
    expect(await cart.has("milk")).toBe(true);
    expect(await cart.delete("milk")).toBe(true);
    expect(await cart.delete("milk")).toBe(false);
    expect([await cart.has("milk"), await cart.get("milk")]).toEqual([false, undefined]);
  });

  it("are JSON, text or bytes, as the codec says", async () => {
    await kv.create("client-codecs");
    const raw = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const [asText, asBytes] = [
      kv.bucket<Record<string, string>>("client-codecs", { codec: text }),
      kv.bucket<Record<string, Uint8Array>>("client-codecs", { codec: bytes }),
    ];
    await asText.put("a", "\ufeffé");
    expect(await asText.get("a")).toBe("\ufeffé");
    await asBytes.put("b", raw);
    expect(await asBytes.get("b")).toEqual(raw);
    const session = asBytes.session();
    expect(await session.bucket.get("b")).toEqual(raw);
    await session.bucket.put("c", raw);
    expect((await asBytes.entry("c"))?.type).toBe("application/octet-stream");
    session.close();
    await expect((await bucketOf("client-json")).put("a", undefined)).rejects.toMatchObject({
      code: "value_invalid",
    });
  });

  it("are updated by many at once, and no update is lost", async () => {
    const bucket = await bucketOf<{ list: number[] }>("client-update");
    await Promise.all(
      Array.from({ length: 12 }, (_, n) => bucket.update("list", (list = []) => [...list, n])),
    );
    expect((await bucket.get("list"))?.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 12 }, (_, n) => n),
    );
    expect(await bucket.update("list", () => undefined)).toBeUndefined();
  });

  it("are updated again after a pause if another writer was faster, until the deadline", async () => {
    const random = vi.spyOn(Math, "random").mockReturnValue(0.5);
    const contended = () =>
      scriptedWith({ retryBaseMs: 5_000 }, value(1), problem(412, "precondition_failed"), value(2));
    const [late, told] = [contended(), contended()];
    const increment = (n = 0): number => n + 1;
    await expect(
      late.kv.bucket<{ a: number }>("b").update("a", increment, { timeoutMs: 20 }),
    ).rejects.toBeInstanceOf(TimeoutError);
    const abort = new AbortController();
    const reason = new Error("never mind");
    const updating = told.kv.bucket<{ a: number }>("b").update("a", increment, { signal: abort.signal });
    // What does not wait is done once all that is due has run.
    await new Promise(setImmediate);
    abort.abort(reason);
    await expect(updating).rejects.toBe(reason);
    expect([late.asked.length, told.asked.length]).toEqual([2, 2]);
    random.mockRestore();
  });

  it("are not put if their condition can't hold, and are updated by async functions too", async () => {
    const bucket = await bucketOf<Record<string, number>>("client-no-tags");
    await bucket.put("a", 1);
    await expect(bucket.put("a", 2, { ifMatch: [] })).rejects.toBeInstanceOf(PreconditionFailedError);
    await bucket.update("a", async (before = 0) => before + 1);
    expect(await bucket.get("a")).toBe(2);
  });

  it("are incremented beyond what a number can hold", async () => {
    const bucket = await bucketOf("client-count");
    expect(await bucket.increment("n", { by: 2n ** 60n })).toMatchObject({ value: 2n ** 60n });
    expect(await bucket.increment("m", { initial: 5, by: -2 })).toMatchObject({ value: 3, created: true });
  });

  it("are listed page after page", async () => {
    const bucket = await bucketOf<Record<string, number>>("client-list");
    for (let part = 0; part < 3; part += 1) {
      await bucket.batch(
        Array.from(
          { length: 800 },
          (_, n) => ({ op: "put", key: `${part}-${String(n).padStart(3, "0")}`, value: n }) as const,
        ),
      );
    }
    let count = 0;
    let sum = 0;
    for await (const { value: number } of bucket.list({ values: true })) {
      count += 1;
      sum += number ?? 0;
    }
    expect([count, sum]).toEqual([2_400, (3 * (799 * 800)) / 2]);
    const few = [];
    for await (const { key } of bucket.list({ limit: 2, reverse: true })) few.push(key);
    expect(few).toEqual(["2-799", "2-798"]);
    expect(await bucket.deleteRange({ prefix: "1-" })).toBe(800);
  });

  it("are exported and imported", async () => {
    const [one, other] = [await bucketOf("client-export"), await bucketOf("client-import")];
    await one.put("a", { x: 1 }, { metadata: 1 });
    const lines = await new Response(await one.export()).text();
    expect(await other.import(lines)).toMatchObject({ imported: 1 });
    expect(await other.import(await one.export())).toMatchObject({ unchanged: 1 });
    expect(await other.get("a")).toEqual({ x: 1 });
  });

  it("are no longer read once their import has ended", async () => {
    const controller = new AbortController();
    const encoder = new TextEncoder();
    let lines = 0;
    const told = Promise.withResolvers<string>();
    const long = new ReadableStream<Uint8Array>({
      pull: async (source) => {
        await new Promise(setImmediate);
        lines += 1;
        source.enqueue(encoder.encode(`{"key":"k${lines}","value":"1"}\n`));
        if (lines === 5) controller.abort(new Error("enough"));
        if (lines === 5_000) told.resolve("read to its end");
      },
      cancel: () => told.resolve("cancelled"),
    });
    const bucket = await bucketOf("client-import-abort");
    await expect(bucket.import(long, { signal: controller.signal })).rejects.toThrow("enough");
    expect(await told.promise).toBe("cancelled");
    // Also where it is turned down before all of it is read.
    const refused = Promise.withResolvers<unknown>();
    const { kv: client } = scripted(problem(404, "bucket_not_found"));
    const unread = new ReadableStream<Uint8Array>({ cancel: refused.resolve });
    await expect(client.bucket("b").import(unread)).rejects.toBeInstanceOf(BucketNotFoundError);
    await refused.promise;
  });
});
