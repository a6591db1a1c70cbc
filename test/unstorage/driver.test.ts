/** The driver for unstorage, under unstorage 1 and 2. */

import { afterEach, describe, expect, it, vi } from "vitest";
import { createStorage } from "unstorage";
import { createStorage as createStorage2 } from "unstorage-2";
import { Kv } from "../../src/client/index.ts";
import { durableKvDriver } from "../../src/unstorage/index.ts";
import type { Driver, DurableKvDriverOptions } from "../../src/unstorage/types.ts";
import { server } from "../e2e/support/shared-server.ts";

const kv = new Kv({ url: server.http });

/** What both versions have in common. */
type Storage = ReturnType<typeof createStorage>;

describe.each([
  [1, createStorage],
  [2, createStorage2],
])("unstorage %i on a bucket", (version, create) => {
  const open: Storage[] = [];
  const storageOf = (name: string, options: Partial<DurableKvDriverOptions> = {}): Storage => {
    const bucket = `unstorage${version}-${name}`;
    const storage = create({ driver: durableKvDriver({ url: server.http, bucket, ...options }) });
    open.push(storage);
    return storage;
  };
  afterEach(async () => {
    for (const storage of open.splice(0)) await storage.dispose();
  });

  it("sets, gets, has and removes items of every kind", async () => {
    const storage = storageOf("kinds");
    expect(await storage.getItem("nothing")).toBeNull();
    expect(await storage.hasItem("nothing")).toBe(false);
    for (const value of ["text", 17, true, { a: [1, null] }, ["x"], "{broken", "", "é😀"]) {
      await storage.setItem("a:b", value);
      expect(await storage.getItem("a:b")).toEqual(value);
    }
    await storage.removeItem("a:b");
    await storage.removeItem("a:b");
    expect(await storage.hasItem("a:b")).toBe(false);
  });

  it("finds nothing in a bucket that does not exist, and makes none by looking", async () => {
    const storage = storageOf("nowhere");
    expect(await storage.getKeys()).toEqual([]);
    expect(await storage.getItems(["a", "b"])).toEqual([
      { key: "a", value: null },
      { key: "b", value: null },
    ]);
    expect(await storage.getItemRaw("a")).toBeNull();
    expect(await storage.getMeta("a", { nativeOnly: true })).toEqual({});
    await storage.removeItem("a");
    await storage.clear();
    expect(await kv.lookup(`unstorage${version}-nowhere`)).toBeUndefined();
  });

  it("sets and gets many items in one round trip", async () => {
    const storage = storageOf("many");
    const items = Array.from({ length: 50 }, (_, n) => ({ key: `n:${n}`, value: { n } }));
    await storage.setItems(items);
    expect(await storage.getItems(items.map(({ key }) => key))).toEqual(items);
  });

  it("keeps raw items as they are: bytes of every kind, and text", async () => {
    const storage = storageOf("raw");
    const bytes = new Uint8Array(2_000_000).map((_, at) => (at * 7) & 255);
    for (const value of [bytes, bytes.buffer, new DataView(bytes.buffer), new Blob([bytes])]) {
      await storage.setItemRaw("bytes", value);
      expect(Buffer.from((await storage.getItemRaw("bytes")) as Uint8Array).equals(bytes)).toBe(true);
    }
    await storage.setItemRaw("text", "é");
    expect(await storage.getItem("text")).toBe("é");
    await expect(storage.setItemRaw("object", { a: 1 })).rejects.toMatchObject({ code: "value_invalid" });
  });

  it("lists keys, all or those below a base, and clears them", async () => {
    const storage = storageOf("keys");
    for (const key of ["a:1", "a:2", "a:b:3", "ab:4", "c"]) await storage.setItem(key, key);
    expect((await storage.getKeys()).toSorted()).toEqual(["a:1", "a:2", "a:b:3", "ab:4", "c"]);
    expect((await storage.getKeys("a")).toSorted()).toEqual(["a:1", "a:2", "a:b:3"]);
    // unstorage itself clears whole mounts only; the driver can do more.
    await durableKvDriver({ kv, bucket: `unstorage${version}-keys` }).clear("a:");
    expect((await storage.getKeys()).toSorted()).toEqual(["ab:4", "c"]);
    await storage.clear();
    expect(await storage.getKeys()).toEqual([]);
  });

  it("keeps a base of its own below the bucket's keys", async () => {
    const ann = storageOf("base", { base: "ann" });
    const bob = storageOf("base", { base: "bob:" });
    await ann.setItem("x", 1);
    await bob.setItem("x", 2);
    expect(await ann.getKeys()).toEqual(["x"]);
    expect(await ann.getItem("x")).toBe(1);
    await ann.clear();
    expect(await bob.getItem("x")).toBe(2);
    expect(await storageOf("base").getKeys()).toEqual(["bob:x"]);
  });

  it("has items end after their ttl: the call's, or else the driver's", async () => {
    const storage = storageOf("ttl", { ttl: 3_600 });
    await storage.setItem("own", 1, { ttl: 60 });
    await storage.setItem("default", 1);
    await storage.setItems([{ key: "many", value: 1, options: { ttl: 60 } }]);
    await storage.setItemRaw("raw", "1", { ttl: 60 });
    const left = async (key: string): Promise<number> => Number((await storage.getMeta(key))["ttl"]);
    for (const key of ["own", "many", "raw"]) expect(await left(key), key).toBeLessThanOrEqual(60);
    expect(await left("default")).toBeGreaterThan(60);
    expect(await left("default")).toBeLessThanOrEqual(3_600);
  });

  it("tells the size and the time of an item", async () => {
    const storage = storageOf("meta");
    await storage.setItem("ab", "x");
    await storage.setItem("a", "four");
    expect(await storage.getMeta("a")).toMatchObject({ size: 4, mtime: expect.any(Date) as Date });
  });

  it("watches the changes of all clients, under its base, until it is unwatched", async () => {
    const storage = storageOf("watch", { base: "mine" });
    const heard: string[] = [];
    const unwatch = await storage.watch((event, key) => void heard.push(`${event} ${key}`));
    const other = kv.bucket(`unstorage${version}-watch`);
    await other.put("mine:a:b", 1);
    await other.put("not-mine", 1);
    await storage.setItem("c", 1);
    await storage.removeItem("c");
    await vi.waitFor(() => expect(heard).toEqual(["update a:b", "update c", "remove c"]), 10_000);
    await unwatch();
    await storage.setItem("d", 1);
    expect(heard).toHaveLength(3);
  });

  it("goes on watching the next bucket of its name when one has ended", async () => {
    const storage = storageOf("watch-down");
    const heard: string[] = [];
    await storage.watch((event, key) => void heard.push(`${event} ${key}`));
    await kv.stop(`unstorage${version}-watch-down`);
    await storage.setItem("a", 1);
    await storage.removeItem("a");
    await vi.waitFor(() => expect(heard).toEqual(["update a", "remove a"]), 20_000);
  });

  it("is one with what other clients of the bucket store", async () => {
    const storage = storageOf("others");
    await kv.create(`unstorage${version}-others`);
    await kv.bucket(`unstorage${version}-others`).put("json", { a: 1 });
    expect(await storage.getItem("json")).toEqual({ a: 1 });
    await storage.setItem("text", { b: 2 });
    expect(await kv.bucket(`unstorage${version}-others`).get("text")).toEqual({ b: 2 });
  });
});

describe("the driver", () => {
  it("reaches the service by a binding: given, named, or made when it is needed", async () => {
    const binding = { fetch: (input: string, init?: RequestInit) => toServer(input, init) };
    const scope = globalThis as Record<string, unknown>;
    await durableKvDriver({ binding, bucket: "unstorage-bound" }).setItem("a", "1");
    scope["__env__"] = { KV_OF_ENV: binding };
    scope["KV_OF_TEST"] = binding;
    try {
      for (const named of ["KV_OF_ENV", "KV_OF_TEST", () => binding] as const) {
        expect(await durableKvDriver({ binding: named, bucket: "unstorage-bound" }).getItem("a")).toBe("1");
      }
    } finally {
      delete scope["__env__"];
      delete scope["KV_OF_TEST"];
    }
  });

  it("uses an existing client", async () => {
    const driver = durableKvDriver({ kv, bucket: "unstorage-kv" });
    await driver.setItem("a", "1");
    expect(driver.getInstance()).toBe(kv);
    expect(await driver.getItem("a")).toBe("1");
  });

  it("does not bring back a bucket that was stopped, because it watches it", async () => {
    const name = "unstorage-watch-stopped";
    let looks = 0;
    const fetch = (url: string, init?: RequestInit): Promise<Response> => {
      if (url.includes("/watch")) looks += 1;
      return globalThis.fetch(url, init);
    };
    const driver = durableKvDriver({ url: server.http, fetch, bucket: name });
    const stop = await driver.watch(() => undefined);
    await kv.stop(name);
    // It has looked for the next one, and has not found it.
    await vi.waitFor(() => expect(looks).toBeGreaterThan(2), 20_000);
    expect(await kv.lookup(name)).toBeUndefined();
    await kv.create(name, { restart: "temporary", metadata: { by: "another" } });
    await driver.setItem("a", "1");
    expect(await kv.lookup(name)).toMatchObject({ restart: "temporary", metadata: { by: "another" } });
    await stop();
  });

  it("goes on watching when its listener throws, and reports that error", async () => {
    const heard: unknown[] = [];
    const driver = durableKvDriver({ kv, bucket: "unstorage-throws", onError: (error) => heard.push(error) });
    const own = new Error("the listener's own");
    const stop = await driver.watch(() => {
      throw own;
    });
    await driver.setItem("a", "1");
    await driver.setItem("b", "1");
    await vi.waitFor(() => expect(heard).toEqual([own, own]), 10_000);
    await stop();
  });

  it.each([
    [{ url: "http://x", bucket: "b", base: 1 }, "base"],
    [{ url: "http://x", bucket: "b", urls: "http://y" }, "urls"],
    [{ kv, bucket: "b", token: "t" }, "token"],
    [{ kv, binding: {}, bucket: "b" }, "kv"],
    [{ url: "http://x", bucket: "b", ttl: 0 }, "ttl"],
    [{ url: "http://x", bucket: "b", create: { restarts: 1 } }, "restarts"],
  ])("refuses options that it can't heed: %#", (options, named) => {
    expect(() => durableKvDriver(options as never)).toThrow(named);
  });

  it.each([
    ["a name that leads nowhere", "NO_SUCH_KV", "NO_SUCH_KV"],
    ["what is no binding", 5, "5"],
  ])("refuses %s at its first call", async (_, binding, named) => {
    const driver: Driver = durableKvDriver({ binding: binding as never, bucket: "b" });
    await expect(driver.getItem("a")).rejects.toMatchObject({
      code: "options_invalid",
      message: expect.stringContaining(named) as string,
    });
  });
});

/** A service binding ignores the host. */
function toServer(input: string, init?: RequestInit): Promise<Response> {
  return fetch(input.replace("http://durable-kv", server.http), init);
}
