/** The store for keyv, under keyv 5 and 6. */

import keyvTestSuite, { keyvIteratorTests } from "@keyv/test-suite";
import { Keyv as Keyv5 } from "keyv";
import { Keyv as Keyv6 } from "keyv-6";
import * as vitest from "vitest";
import { describe, expect, it } from "vitest";
import { Kv, type KvError } from "../../src/client/index.ts";
import { KeyvDurableKv } from "../../src/keyv/index.ts";
import { server } from "../e2e/support/shared-server.ts";

const kv = new Kv({ url: server.http });

const storeOf = (bucket: string): KeyvDurableKv => new KeyvDurableKv({ kv, bucket });
/** keyv 5 has no iterator for some stores, and wants an argument that it does not use. */
const iterated = (keyv: Keyv5): AsyncGenerator<[string, unknown]> => {
  if (keyv.iterator === undefined) throw new Error("It does not iterate over this store.");
  return keyv.iterator(undefined) as AsyncGenerator<[string, unknown]>;
};

describe("keyv's own suite", () => {
  keyvTestSuite(vitest, Keyv5, () => storeOf("keyv-suite"));
  describe("iterators", () => {
    keyvIteratorTests(vitest, Keyv5, () => storeOf("keyv-iterated"));
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

  it("says what was there of many that it deletes: keyv 6 of each, keyv 5 of all of them", async () => {
    const keyv = opened("deleted");
    await keyv.set("a", 1);
    await keyv.set("b", 1);
    const deleted = await keyv.deleteMany(["a", "missing", "b"]);
    expect(deleted).toEqual(version === "6" ? [true, false, true] : false);
    expect(await keyv.hasMany(["a", "b"])).toEqual([false, false]);
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
    const passed = Date.now() - before;
    const entries = await Array.fromAsync(kv.bucket(`keyv${version}-ttl`).list());
    const left = entries.map(({ expires }) => expires && expires.getTime() - before);
    expect(left[2]).toBeUndefined();
    for (const ms of left.slice(0, 2)) {
      // keyv 6 hands on a moment, and gives back what is left of it.
      expect(ms).toBeGreaterThan(85_000);
      expect(ms).toBeLessThan(91_000 + passed);
    }
  });

  it("iterates over a namespace's entries", async () => {
    const keyv = opened("iterated", "n");
    await opened("iterated", "other").set("x", 0);
    await keyv.set("b", 2);
    await keyv.set("a", { one: 1 });
    expect(await Array.fromAsync(iterated(keyv))).toEqual([
      ["a", { one: 1 }],
      ["b", 2],
    ]);
  });

  it("has one namespace for each store, that of the Keyv that was made with it last", async () => {
    const store = storeOf(`keyv${version}-shared`);
    const [first, second] = ["a", "b"].map((namespace) => keyvOf({ store, namespace, useKeyPrefix: false }));
    await first?.set("k", 1);
    expect(await second?.get("k")).toBe(1);
    expect(await Array.fromAsync(kv.bucket(store.opts["bucket"] as string).list())).toMatchObject([
      { key: "b:k" },
    ]);
  });

  it("without a namespace has all of the bucket, those of namespaces by their whole keys", async () => {
    const [store, within] = [storeOf(`keyv${version}-whole`), storeOf(`keyv${version}-whole`)];
    within.namespace = "a";
    await store.set("a:y", 1);
    expect(await within.get("y")).toBe(1);
    expect(await Array.fromAsync(store.iterator())).toEqual([["a:y", 1]]);
    await store.clear();
    expect(await within.get("y")).toBeUndefined();
  });
});

/** What a verb comes to where the service is not there: what it gives or throws, and how many errors were emitted. */
async function failed(
  keyv: Keyv5,
  ask: (keyv: Keyv5) => unknown,
): Promise<{ readonly came: unknown; readonly heard: number }> {
  let heard = 0;
  keyv.on("error", () => (heard += 1));
  try {
    return { came: await ask(keyv), heard };
  } catch (error) {
    return { came: (error as KvError).code, heard };
  }
}

describe("what keyv makes of an error", () => {
  const nowhere = (): KeyvDurableKv =>
    new KeyvDurableKv({ url: "http://127.0.0.1:2", bucket: "a", retries: 0 });
  const [thrown, nothing] = ["not_connected", undefined];
  const entries = [{ key: "a", value: 1 }];

  it.each<[string, (keyv: Keyv5) => unknown, unknown, unknown, unknown]>([
    // The verb, what it gives with keyv 5, with keyv 5 and `throwOnErrors`, and with keyv 6.
    ["get", (keyv) => keyv.get("a"), [nothing, 0], [thrown, 0], [nothing, 1]],
    ["get of many", (keyv) => keyv.get(["a"]), [thrown, 0], [thrown, 0], [[nothing], 1]],
    ["getRaw", (keyv) => keyv.getRaw("a"), [thrown, 0], [thrown, 0], [nothing, 1]],
    ["has", (keyv) => keyv.has("a"), [thrown, 0], [thrown, 0], [false, 1]],
    ["hasMany", (keyv) => keyv.hasMany(["a"]), [thrown, 0], [thrown, 0], [[false], 1]],
    ["set", (keyv) => keyv.set("a", 1), [false, 1], [thrown, 1], [false, 1]],
    ["setMany", (keyv) => keyv.setMany(entries), [[false], 1], [thrown, 1], [[false], 1]],
    ["delete", (keyv) => keyv.delete("a"), [false, 1], [thrown, 1], [false, 1]],
    ["deleteMany", (keyv) => keyv.deleteMany(["a"]), [false, 1], [thrown, 1], [[false], 1]],
    ["clear", (keyv) => keyv.clear(), [nothing, 1], [thrown, 1], [nothing, 1]],
    ["iterator", (keyv) => Array.fromAsync(iterated(keyv)), [thrown, 0], [thrown, 0], [[], 1]],
  ])("%s: as docs/libraries.md says", async (_, ask, five, throwing, six) => {
    const keyvs = [
      new Keyv5({ store: nowhere() }),
      new Keyv5({ store: nowhere(), throwOnErrors: true }),
      new Keyv6({ store: nowhere() }) as unknown as Keyv5,
    ];
    const found = await Promise.all(keyvs.map((keyv) => failed(keyv, ask)));
    expect(found.map(({ came, heard }) => [came, heard])).toEqual([five, throwing, six]);
  });

  it("keyv 6 throws it if there is no error listener", async () => {
    await expect(new Keyv6({ store: nowhere() }).get("a")).rejects.toMatchObject({ code: "not_connected" });
  });
});

/** A store, and what it has asked for: how many requests at once at most, and bytes of all answers. */
function counted(bucket: string): {
  readonly store: KeyvDurableKv;
  readonly atOnce: () => number;
  readonly bytes: () => number;
} {
  let [running, most, bytes] = [0, 0, 0];
  const counting = new Kv({
    url: server.http,
    fetch: async (url, init) => {
      running += 1;
      most = Math.max(most, running);
      const response = await fetch(url, init);
      const body = await response.arrayBuffer();
      running -= 1;
      bytes += body.byteLength;
      const { status, headers } = response;
      return new Response(body.byteLength === 0 ? null : body, { status, headers });
    },
  });
  return { store: new KeyvDurableKv({ kv: counting, bucket }), atOnce: () => most, bytes: () => bytes };
}

describe("a store of keyv's, by itself", () => {
  it("throws what went wrong, so that keyv 5 can be told to do that too", async () => {
    const store = new KeyvDurableKv({ url: "http://127.0.0.1:2", bucket: "a", retries: 0 });
    const keyv = new Keyv5({ store, throwOnErrors: true });
    for (const read of [() => store.get("a"), () => keyv.get("a"), () => keyv.set("a", 1)]) {
      await expect(read()).rejects.toMatchObject({ code: "not_connected" });
    }
  });

  it("keeps what was not written as text as it is", async () => {
    const store = storeOf("keyv-raw");
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

  it("finds out whether many are there without reading them", async () => {
    await storeOf("keyv-there").set("large", "x".repeat(500_000));
    const { store, bytes } = counted("keyv-there");
    expect(await store.hasMany(["large", "missing", "large"])).toEqual([true, false, true]);
    expect(bytes()).toBeLessThan(5_000);
  });

  it("reads what does not travel together by few at once", async () => {
    const values = Array.from({ length: 32 }, (_, n) => `${n}`.padEnd(n < 20 ? 700_000 : 1_200_000));
    await storeOf("keyv-few").setMany(values.map((value, n) => ({ key: `k${n}`, value })));
    const { store, atOnce } = counted("keyv-few");
    const found = await store.getMany(values.map((_, n) => `k${n}`));
    expect(found.every((value, n) => value === values[n])).toBe(true);
    expect(atOnce()).toBeLessThanOrEqual(8);
  });

  it("creates its bucket as it was told to", async () => {
    await new KeyvDurableKv({ kv, bucket: "keyv-made", create: { restart: "temporary" } }).set("a", "1");
    expect(await kv.lookup("keyv-made")).toMatchObject({ restart: "temporary" });
  });

  it("deletes what is set to live for no time", async () => {
    const store = storeOf("keyv-over");
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
    const store = storeOf("keyv-deleted");
    await store.setMany([
      { key: "a", value: "1" },
      { key: "b", value: "1" },
    ]);
    expect(await store.deleteMany(["a", "missing"])).toBe(false);
    expect(await store.deleteMany(["b"])).toBe(true);
  });
});
