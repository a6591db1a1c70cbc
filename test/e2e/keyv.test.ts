import keyvTestSuite, { keyvIteratorTests } from "@keyv/test-suite";
import { Keyv as Keyv5 } from "keyv";
import { Keyv as Keyv6 } from "keyv-6";
import * as vitest from "vitest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Kv } from "../../src/client/index.ts";
import { KeyvDurableKv } from "../../src/keyv/index.ts";
import { startServer, type RunningServer } from "./support/server.ts";

let server: RunningServer;
let kv: Kv;
beforeAll(async () => {
  server = await startServer();
  kv = new Kv({ url: server.http });
});
afterAll(() => server.stop());

const storeOf = (bucket: string): KeyvDurableKv => new KeyvDurableKv({ kv, bucket });

describe("keyv's own suite", () => {
  keyvTestSuite(vitest, Keyv5, () => storeOf("suite"));
  describe("iterators", () => {
    keyvIteratorTests(vitest, Keyv5, () => storeOf("iterated"));
  });
});

const versions = [
  ["5", (options: object) => new Keyv5(options)],
  // The suite is keyv 5's. What it asks for is asked of 6 here, in its own words.
  ["6", (options: object) => new Keyv6(options) as unknown as Keyv5],
] as const;

describe.each(versions)("keyv %s on a bucket", (version, keyvOf) => {
  const opened = (bucket: string, namespace?: string): Keyv5 =>
    keyvOf({ store: storeOf(`keyv${version}-${bucket}`), ...(namespace !== undefined && { namespace }) });

  it("sets, gets, has and deletes values of every kind", async () => {
    const keyv = opened("kinds");
    for (const value of ["text", "", 17, 0, false, null, { a: [1, { b: "é😀" }] }, Buffer.from([0, 255])]) {
      expect(await keyv.set("a:b/c", value)).toBe(true);
      expect(await keyv.get("a:b/c")).toEqual(value);
    }
    expect([await keyv.has("a:b/c"), await keyv.has("b")]).toEqual([true, false]);
    expect([await keyv.delete("a:b/c"), await keyv.delete("a:b/c")]).toEqual([true, false]);
    expect(await keyv.get("a:b/c")).toBeUndefined();
  });

  it("reads, writes and deletes many in one round trip, large ones among them", async () => {
    const keyv = opened("many");
    const large = "x".repeat(3_000_000);
    const entries = Array.from({ length: 1_500 }, (_, n) => ({ key: `k${n}`, value: n }));
    expect(await keyv.setMany([...entries, { key: "large", value: large }])).toHaveLength(1_501);
    const keys = [...entries.map(({ key }) => key), "missing", "large"];
    expect(await keyv.getMany(keys)).toEqual([...entries.map(({ value }) => value), undefined, large]);
    expect(await keyv.hasMany(["k0", "missing", "k1499"])).toEqual([true, false, true]);
    const deleted = await keyv.deleteMany(entries.map(({ key }) => key));
    expect([deleted].flat().every(Boolean)).toBe(true);
    expect(await keyv.getMany(["k0", "large"])).toEqual([undefined, large]);
  });

  it("finds nothing in a bucket that is not there, and makes none by looking", async () => {
    const keyv = opened("nowhere");
    expect([await keyv.get("a"), await keyv.has("a"), await keyv.delete("a")]).toEqual([
      undefined,
      false,
      false,
    ]);
    expect(await keyv.getMany(["a", "b"])).toEqual([undefined, undefined]);
    await keyv.clear();
    expect(await kv.lookup(`keyv${version}-nowhere`)).toBeUndefined();
  });

  it("keeps namespaces apart, also those whose names are in each other", async () => {
    const [a, within] = [opened("spaces", "a"), opened("spaces", "a:b")];
    await a.set("b:c", 1);
    await within.set("c", 2);
    expect([await a.get("b:c"), await within.get("c")]).toEqual([1, 2]);
    await a.clear();
    expect([await a.get("b:c"), await within.get("c")]).toEqual([undefined, 2]);
  });

  it("has the service end what keyv gives a ttl, to the millisecond", async () => {
    const keyv = opened("ttl", "n");
    const before = Date.now();
    await keyv.set("a", 1, 90_250);
    await keyv.setMany([{ key: "b", value: 1, ttl: 90_250 }]);
    await keyv.set("forever", 1);
    const entries = await Array.fromAsync(kv.bucket(`keyv${version}-ttl`).list());
    const left = entries.map(({ expires }) => expires && expires.getTime() - before);
    expect(left[2]).toBeUndefined();
    for (const ms of left.slice(0, 2)) {
      // keyv 6 hands on a moment, and gives back what is left of it.
      expect(ms).toBeGreaterThan(85_000);
      expect(ms).toBeLessThan(100_000);
    }
  });

  it("iterates over a namespace's entries", async () => {
    const keyv = opened("iterated", "n");
    await opened("iterated", "other").set("x", 0);
    await keyv.set("b", 2);
    await keyv.set("a", { one: 1 });
    const iterate = keyv.iterator?.bind(keyv) as () => AsyncGenerator<[string, unknown]>;
    expect(await Array.fromAsync(iterate())).toEqual([
      ["a", { one: 1 }],
      ["b", 2],
    ]);
  });

  it("hears what went wrong, once", async () => {
    const keyv = keyvOf({ store: new KeyvDurableKv({ url: "http://127.0.0.1:9", bucket: "a", retries: 0 }) });
    const heard: unknown[] = [];
    keyv.on("error", (error) => heard.push(error));
    expect(await keyv.set("a", 1)).toBe(false);
    expect(heard).toMatchObject([{ code: "connection_lost" }]);
  });
});

describe("a store of keyv's, by itself", () => {
  it("throws what went wrong, so that keyv 5 can be told to do that too", async () => {
    const store = new KeyvDurableKv({ url: "http://127.0.0.1:9", bucket: "a", retries: 0 });
    const keyv = new Keyv5({ store, throwOnErrors: true });
    for (const read of [() => store.get("a"), () => keyv.get("a"), () => keyv.set("a", 1)]) {
      await expect(read()).rejects.toMatchObject({ code: "connection_lost" });
    }
  });

  it("keeps what was not written as text as it is", async () => {
    const store = storeOf("raw");
    await store.set("json", { a: 1 });
    await store.set("null", null);
    await store.set("bytes", new Uint8Array([1, 2]));
    expect(await store.getMany(["json", "null", "bytes"])).toEqual([{ a: 1 }, null, new Uint8Array([1, 2])]);
    expect(await Array.fromAsync(store.iterator())).toEqual([
      ["bytes", new Uint8Array([1, 2])],
      ["json", { a: 1 }],
      ["null", null],
    ]);
  });

  it("creates its bucket as it was told to", async () => {
    await new KeyvDurableKv({ kv, bucket: "made", create: { restart: "temporary" } }).set("a", "1");
    expect(await kv.lookup("made")).toMatchObject({ restart: "temporary" });
  });

  it("deletes what is set to live for no time", async () => {
    const store = storeOf("over");
    await store.set("a", "1");
    await store.set("b", "1");
    await store.set("a", "2", -1);
    await store.setMany([
      { key: "b", value: "2", ttl: 0 },
      { key: "c", value: "3", ttl: Infinity },
    ]);
    expect(await store.getMany(["a", "b", "c"])).toEqual([undefined, undefined, "3"]);
  });

  it("says whether all that it deleted was there", async () => {
    const store = storeOf("deleted");
    await store.setMany([
      { key: "a", value: "1" },
      { key: "b", value: "1" },
    ]);
    expect(await store.deleteMany(["a", "missing"])).toBe(false);
    expect(await store.deleteMany(["b"])).toBe(true);
  });
});
