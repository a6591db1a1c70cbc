/** better-auth's secondary storage, as better-auth says that it has to be. */

import { describe, expect, it } from "vitest";
import { betterAuthStorage } from "../../src/better-auth/index.ts";
import { Kv, text } from "../../src/client/index.ts";
import { server } from "../e2e/support/shared-server.ts";

const kv = new Kv({ url: server.http });

const opened = (title: string) => {
  const bucket = kv.bucket(`better-auth-${title}`, { codec: text, create: true });
  return { bucket, storage: betterAuthStorage(bucket) };
};

describe("better-auth's storage", () => {
  it("sets, gets and deletes values, and finds null where there is none", async () => {
    const { bucket, storage } = opened("values");
    expect(await storage.get("a")).toBeNull();
    await storage.set("a", '{"user":1}', 60);
    expect(await storage.get("a")).toBe('{"user":1}');
    expect((await bucket.entry("a"))?.expires).toBeInstanceOf(Date);
    await storage.set("a", "2");
    expect((await bucket.entry("a"))?.expires).toBeUndefined();
    await storage.delete("a");
    await storage.delete("a");
    expect(await storage.get("a")).toBeNull();
  });

  it("gives a one-time value to one of many", async () => {
    const { storage } = opened("once");
    await storage.set("code", "7");
    const all = await Promise.all(Array.from({ length: 10 }, () => storage.getAndDelete("code")));
    expect(all.filter((value) => value !== null)).toEqual(["7"]);
  });

  it("counts, with the time to live of the first", async () => {
    const { bucket, storage } = opened("counts");
    expect(await storage.increment("n", 60)).toBe(1);
    const { expires } = (await bucket.entry("n")) ?? {};
    const all = await Promise.all(Array.from({ length: 10 }, () => storage.increment("n", 3_600)));
    expect(Math.max(...all)).toBe(11);
    expect((await bucket.entry("n"))?.expires).toEqual(expires);
  });
});
