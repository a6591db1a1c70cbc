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
