/** A bucket that another Worker's first write creates. */

import { describe, expect, it } from "vitest";
import { kv, refusal } from "../support/binding.ts";

describe("a bucket of the binding that is opened with create", () => {
  it("is empty for every read until something is written, and none of them creates it", async () => {
    const bucket = kv.bucket("bound-reads", { create: true });
    expect(await bucket.get("a")).toBeNull();
    expect(await bucket.getEntry("a")).toBeNull();
    expect(await bucket.delete("a")).toBe(false);
    expect(await bucket.deleteRange({ prefix: "a" })).toBe(0);
    expect((await bucket.list()).keys).toEqual([]);
    expect(await bucket.getAndDelete("a")).toBeNull();
    expect(
      await bucket.batch([
        { op: "get", key: "a", ifNoneMatch: "*" },
        { op: "delete", key: "b" },
        { op: "getAndDelete", key: "c" },
      ]),
    ).toEqual([
      { op: "get", key: "a", found: false },
      { op: "delete", key: "b", deleted: false },
      { op: "getAndDelete", key: "c", found: false },
    ]);
    expect(await kv.lookup("bound-reads")).toBeNull();
  });

  it.each([
    ["put", (name: string) => kv.bucket(name, { create: true }).put("a", "1")],
    [
      "stream",
      (name: string) => kv.bucket(name, { create: true }).put("a", new Response("1").body as ReadableStream),
    ],
    ["increment", (name: string) => kv.bucket(name, { create: true }).increment("a")],
    [
      "batch",
      (name: string) => kv.bucket(name, { create: true }).batch([{ op: "put", key: "a", value: "1" }]),
    ],
    [
      "transaction",
      (name: string) =>
        kv.bucket(name, { create: true }).transaction({ then: [{ op: "put", key: "a", value: "1" }] }),
    ],
  ])("is created by its first %s", async (kind, write) => {
    await write(`bound-first-${kind}`);
    expect(await kv.bucket(`bound-first-${kind}`).get("a")).toBe("1");
  });

  it.each(["put", "delete", "getAndDelete", "batch"])(
    "still has conditions: there is no such key in a bucket that does not exist, %s",
    async (method) => {
      const bucket = kv.bucket(`bound-conditions-${method}`, { create: true });
      const ifMatch = "*";
      if (method === "batch") {
        const results = await bucket.batch([{ op: "delete", key: "a", ifMatch }]);
        expect(results).toMatchObject([{ error: { code: "precondition_failed" } }]);
        return;
      }
      const refused = await refusal(async () => {
        if (method === "put") await bucket.put("a", "1", { ifMatch });
        else if (method === "delete") await bucket.delete("a", { ifMatch });
        else await bucket.getAndDelete("a", "text", { ifMatch });
      });
      expect(refused.message).toMatch(/^precondition_failed: /);
    },
  );

  it("is not a complete list, when it ends between two pages", async () => {
    const bucket = kv.bucket("bound-ended", { create: true });
    await bucket.put("a", "1");
    await bucket.put("b", "1");
    const { cursor } = await bucket.list({ limit: 1 });
    await kv.stop("bound-ended");
    expect((await refusal(() => bucket.list({ limit: 1, cursor }))).message).toMatch(/^bucket_not_found/);
  });

  it("takes a bucket that exists with other options for what it needs, also for a stream", async () => {
    await kv.create("bound-other", { restart: "temporary" });
    const bucket = kv.bucket("bound-other", { create: { restart: "permanent" } });
    await bucket.put("text", "1");
    await bucket.put("stream", new Response("1").body as ReadableStream);
    expect(await kv.lookup("bound-other")).toMatchObject({ restart: "temporary", entries: 2 });
  });

  it("is not created by what is refused before", async () => {
    const bucket = kv.bucket("bound-unmade", { create: true });
    await refusal(() => bucket.put("", new Response("1").body as ReadableStream));
    await refusal(() => bucket.put("a", new Response("1").body as ReadableStream, { ttl: "soon" as never }));
    expect(await kv.lookup("bound-unmade")).toBeNull();
  });

  it("is created with the options that were given", async () => {
    const create = { restart: "temporary", metadata: { of: "Ann" } } as const;
    await kv.bucket("bound-options", { create }).put("a", "1");
    expect(await kv.lookup("bound-options")).toMatchObject(create);
  });

  it("refuses options that it does not know, in every call", async () => {
    for (const options of [{ create: "yes" }, { create: { restarts: 1 } }, { created: true }]) {
      const { message } = await refusal(() => kv.bucket("bound-refused", options as never).get("a"));
      expect(message).toMatch(/^body_invalid: /);
    }
  });

  it("without create has to exist", async () => {
    expect((await refusal(() => kv.bucket("bound-none").put("a", "1"))).message).toMatch(/^bucket_not_found/);
  });
});
