/** unstorage's own http driver, against the running server. */

import { describe, expect, it } from "vitest";
import { createStorage, type Storage } from "unstorage";
import httpDriver from "unstorage/drivers/http";
import { startServer } from "../e2e/support/server.ts";
import { server } from "../e2e/support/shared-server.ts";

const storageOf = (bucket: string, headers?: Record<string, string>): Storage =>
  createStorage({
    driver: httpDriver({ base: `${server.http}/unstorage/${bucket}`, ...(headers && { headers }) }),
  });

describe("unstorage's http driver", () => {
  it("sets, gets, has and removes items of every kind", async () => {
    const storage = storageOf("unstorage-kinds");
    expect(await storage.getItem("nothing")).toBeNull();
    expect(await storage.hasItem("nothing")).toBe(false);
    for (const value of ["text", 17, true, { a: [1, null] }, ["x"], "{broken", "", "é😀"]) {
      await storage.setItem("a:b", value);
      expect(await storage.getItem("a:b")).toEqual(value);
    }
    expect(await storage.hasItem("a:b")).toBe(true);
    await storage.removeItem("a:b");
    await storage.removeItem("a:b");
    expect(await storage.hasItem("a:b")).toBe(false);
  });

  it("keeps raw bytes as they are", async () => {
    const storage = storageOf("unstorage-raw");
    const bytes = new Uint8Array(3_000_000).map((_, at) => (at * 7) & 255);
    await storage.setItemRaw("bytes", bytes);
    const got = Buffer.from((await storage.getItemRaw<ArrayBuffer>("bytes")) ?? new ArrayBuffer(0));
    expect(got.equals(Buffer.from(bytes))).toBe(true);
  });

  it("lists keys, all or those below a base, and clears them", async () => {
    const storage = storageOf("unstorage-keys");
    for (const key of ["a:1", "a:2", "a:b:3", "ab:4", "c"]) await storage.setItem(key, key);
    expect((await storage.getKeys()).toSorted()).toEqual(["a:1", "a:2", "a:b:3", "ab:4", "c"]);
    expect((await storage.getKeys("a")).toSorted()).toEqual(["a:1", "a:2", "a:b:3"]);
    // unstorage itself clears whole mounts only; the driver can do more.
    await httpDriver({ base: `${server.http}/unstorage/unstorage-keys` }).clear?.("a", {});
    expect((await storage.getKeys()).toSorted()).toEqual(["ab:4", "c"]);
    await storage.clear();
    expect(await storage.getKeys()).toEqual([]);
  });

  it("knows when an item was set, and how long it lives", async () => {
    const storage = storageOf("unstorage-meta");
    const before = Date.now();
    await storage.setItem("a", 1, { ttl: 60 });
    const meta = await storage.getMeta("a");
    const after = Date.now();
    expect(meta["ttl"]).toBeGreaterThanOrEqual(Math.floor(60 - (after - before) / 1_000));
    expect(meta["ttl"]).toBeLessThanOrEqual(60);
    // HTTP's dates have no parts of a second.
    expect(meta.mtime?.getTime()).toBeGreaterThanOrEqual(before - 1_000);
    expect(meta.mtime?.getTime()).toBeLessThanOrEqual(after);
    await storage.setItem("a", 1);
    expect((await storage.getMeta("a"))["ttl"]).toBeUndefined();
  });

  it("says how long an answer may be kept, and for whom, and refuses conditions that it would not heed", async () => {
    await storageOf("unstorage-headers").setItem("a", 1);
    const item = `${server.http}/unstorage/unstorage-headers/a`;
    const { headers } = await fetch(item);
    expect([headers.get("Cache-Control"), headers.get("Vary")]).toEqual(["no-cache, no-transform", "Accept"]);
    const refused = await fetch(item, { method: "PUT", body: "2", headers: { "If-None-Match": "*" } });
    expect(refused.status).toBe(400);
    expect(await (await fetch(item)).text()).toBe("1");
  });

  it("finds nothing in a bucket that was never created, and creates none", async () => {
    const storage = storageOf("unstorage-unknown");
    expect(await storage.getItem("a")).toBeNull();
    expect(await storage.getKeys()).toEqual([]);
    await storage.clear();
    expect((await fetch(`${server.http}/v1/buckets/unstorage-unknown`)).status).toBe(404);
  });

  it("refuses conditions, which no driver sends and nothing heeds", async () => {
    await storageOf("unstorage-conditions").setItem("a", 1);
    for (const [path, method] of [
      ["a", "PUT"],
      ["a", "DELETE"],
      [":", "DELETE"],
    ] as const) {
      const url = `${server.http}/unstorage/unstorage-conditions/${path}`;
      const response = await fetch(url, { method, headers: { "If-Match": '"another"' } });
      expect([response.status, await response.json()]).toMatchObject([400, { code: "header_invalid" }]);
    }
    expect(await storageOf("unstorage-conditions").getItem("a")).toBe(1);
  });

  it("refuses what it would keep otherwise than it was meant: a query, packed bytes, too many of them", async () => {
    const url = `${server.http}/unstorage/unstorage-refused`;
    for (const [path, init, code] of [
      ["/a?ttl=5", {}, "query_invalid"],
      ["/a", { headers: { "Content-Encoding": "gzip" } }, "content_encoding_unsupported"],
      ["/a", { body: new Uint8Array(25 * 1_048_576 + 1) }, "value_too_large"],
    ] as const) {
      const response = await fetch(url + path, { method: "PUT", body: "1", ...init });
      expect(await response.json()).toMatchObject({ code });
    }
    expect((await fetch(`${server.http}/v1/buckets/unstorage-refused`)).status).toBe(404);
  });

  it("shows a token, where one is asked for", async () => {
    const locked = await startServer({ environment: { KV_TOKEN: "s3cret" } });
    try {
      const storage = createStorage({
        driver: httpDriver({
          base: `${locked.http}/unstorage/locked`,
          headers: { Authorization: "Bearer s3cret" },
        }),
      });
      await storage.setItem("a", 1);
      expect(await storage.getItem("a")).toBe(1);
      expect((await fetch(`${locked.http}/unstorage/locked/a`)).status).toBe(401);
    } finally {
      await locked.stop();
    }
  });
});
