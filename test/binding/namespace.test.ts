/** A bucket as a KVNamespace of Workers KV. */

import { describe, expect, it } from "vitest";
import { kvFailure } from "../../src/binding/failure.ts";
import { CHUNK_BYTES } from "../../src/model/limits.ts";
import { kv as binding, refusal } from "../support/binding.ts";
import { clock } from "../support/objects.ts";

// Its type is that of Workers KV's own binding: what compiles against one is a drop-in for the other.
const namespaceOf = (name: string): KVNamespace => binding.namespace(name);

const seconds = (): number => Math.floor((Date.now() + clock.aheadMs) / 1_000);

describe("get", () => {
  it("gives text, JSON, bytes, or a stream; null for what is not there", async () => {
    const kv = namespaceOf("ns-types");
    await kv.put("a", '{"x":1}');
    expect(await kv.get("a")).toBe('{"x":1}');
    expect(await kv.get("a", "text")).toBe('{"x":1}');
    expect(await kv.get("a", { type: "text", cacheTtl: 60 })).toBe('{"x":1}');
    expect(await kv.get("a", "json")).toEqual({ x: 1 });
    expect(await kv.get("a", { type: "json" })).toEqual({ x: 1 });
    expect(new TextDecoder().decode((await kv.get("a", "arrayBuffer")) ?? undefined)).toBe('{"x":1}');
    expect(await new Response(await kv.get("a", "stream")).text()).toBe('{"x":1}');
    for (const type of ["text", "json", "arrayBuffer", "stream"] as const) {
      expect(await kv.get("nothing", type as "text")).toBeNull();
    }
  });

  it("of several keys gives a map, in the order in which they were asked for", async () => {
    const kv = namespaceOf("ns-many");
    await kv.put("a", "1");
    await kv.put("b", '{"x":1}');
    expect([...(await kv.get(["b", "nothing", "a"]))]).toEqual([
      ["b", '{"x":1}'],
      ["nothing", null],
      ["a", "1"],
    ]);
    expect((await kv.get(["b"], "json")).get("b")).toEqual({ x: 1 });
    expect((await kv.get(["b"], { type: "json" })).get("b")).toEqual({ x: 1 });
    expect((await refusal(() => kv.get(Array.from({ length: 101 }, (_, n) => String(n))))).message).toContain(
      "query_invalid",
    );
  });

  it(
    "of several keys is refused if the values are too large for one message",
    { timeout: 30_000 },
    async () => {
      const kv = namespaceOf("ns-many-large");
      const names = ["a", "b", "c", "d"];
      for (const name of names) await kv.put(name, JSON.stringify("x".repeat(9 * CHUNK_BYTES)));
      expect((await refusal(() => kv.get(names))).message).toContain("result_too_large");
      expect((await kv.get(names.slice(0, 3))).size).toBe(3);
      for (const name of names) await kv.put(name, JSON.stringify("x".repeat(3 * CHUNK_BYTES)));
      expect((await refusal(() => kv.get(names, "json"))).message).toContain("result_too_large");
      expect((await kv.get(names.slice(0, 2), "json")).size).toBe(2);
    },
  );

  it("as JSON is refused if the value is not JSON", async () => {
    const kv = namespaceOf("ns-not-json");
    await kv.put("a", "{");
    expect((await refusal(() => kv.get("a", "json"))).message).toContain("value_invalid");
  });

  it("from a bucket that does not exist finds nothing, and creates no bucket", async () => {
    const kv = namespaceOf("ns-nowhere");
    expect(await kv.get("a")).toBeNull();
    expect(await kv.get(["a"])).toEqual(new Map([["a", null]]));
    expect((await kv.list()).keys).toEqual([]);
    await kv.delete("a");
    expect(await binding.lookup("ns-nowhere")).toBeNull();
  });
});

describe("getWithMetadata", () => {
  it("gives both, of one key or of several", async () => {
    const kv = namespaceOf("ns-metadata");
    await kv.put("a", "1", { metadata: { x: [1] } });
    await kv.put("b", "2");
    expect(await kv.getWithMetadata("a")).toEqual({ value: "1", metadata: { x: [1] }, cacheStatus: null });
    expect(await kv.getWithMetadata("a", "json")).toMatchObject({ value: 1 });
    expect(await kv.getWithMetadata("b")).toEqual({ value: "2", metadata: null, cacheStatus: null });
    expect(await kv.getWithMetadata("c")).toEqual({ value: null, metadata: null, cacheStatus: null });
    expect([...(await kv.getWithMetadata(["a", "c"]))]).toMatchObject([
      ["a", { value: "1", metadata: { x: [1] } }],
      ["c", null],
    ]);
  });
});

describe("put", () => {
  it("takes text, bytes, views and streams, and the next read finds it", async () => {
    const kv = namespaceOf("ns-put");
    const bytes = new TextEncoder().encode("xbytesx");
    for (const [value, text] of [
      ["text", "text"],
      [bytes.slice().buffer, "xbytesx"],
      [bytes.subarray(1, 6), "bytes"],
      [new DataView(bytes.buffer, 1, 2), "by"],
      [new Blob(["streamed"]).stream(), "streamed"],
    ] as const) {
      await kv.put("a", value);
      expect(await kv.get("a")).toBe(text);
    }
  });

  it("expires after seconds, or at a time", async () => {
    const kv = namespaceOf("ns-expires");
    const before = seconds();
    await kv.put("ttl", "1", { expirationTtl: 60 });
    await kv.put("at", "1", { expiration: seconds() + 60 });
    const after = seconds();
    const { keys } = await kv.list();
    for (const { expiration } of keys) {
      expect(expiration).toBeGreaterThanOrEqual(before + 60);
      // A part of a second counts as one.
      expect(expiration).toBeLessThanOrEqual(after + 61);
    }
    // What is told is what was said; and of the two the shorter way to say it counts.
    const said = seconds() + 500;
    await kv.put("at", "1", { expiration: said });
    await kv.put("both", "1", { expiration: said, expirationTtl: 60 });
    const { keys: told } = await kv.list();
    expect(told.find(({ name }) => name === "at")).toEqual({ name: "at", expiration: said });
    expect(Number(told.find(({ name }) => name === "both")?.expiration)).toBeLessThan(said - 400);
    await kv.put("at", "1", { expiration: seconds() + 60 });
    clock.aheadMs += 61_000;
    expect([await kv.get("ttl"), await kv.get("at")]).toEqual([null, null]);
    expect((await refusal(() => kv.put("past", "1", { expiration: seconds() - 1 }))).message).toContain(
      "expires_invalid",
    );
  });

  it("takes seconds as a number or as decimal digits, and nothing else", async () => {
    const kv = namespaceOf("ns-seconds");
    await kv.put("a", "1", { expirationTtl: "60" as unknown as number });
    await kv.put("a", "1", { expiration: String(seconds() + 60) as unknown as number });
    for (const given of [true, false, [60], "0x3c", "6e1", " 60", "", "sixty", {}]) {
      for (const name of ["expirationTtl", "expiration"]) {
        const { message } = await refusal(() => kv.put("b", "1", { [name]: given }));
        expect([given, message]).toEqual([given, expect.stringContaining(`body_invalid: ${name}`)]);
      }
      const { message } = await refusal(() => kv.list({ limit: given as number }));
      expect([given, message]).toEqual([given, expect.stringContaining("query_invalid: limit")]);
    }
    expect(await kv.get("b")).toBeNull();
  });

  it("takes values of up to 25 MiB", { timeout: 30_000 }, async () => {
    const kv = namespaceOf("ns-large");
    await kv.put("small", "creates the bucket");
    const large = new Uint8Array(3 * CHUNK_BYTES + 5).fill(7);
    for (const value of [large, new Blob([large]).stream()]) {
      await kv.put("a", value);
      const got = new Uint8Array((await kv.get("a", "arrayBuffer")) ?? new ArrayBuffer(0));
      expect([got.byteLength, got.every((byte) => byte === 7)]).toEqual([large.byteLength, true]);
    }
    expect((await kv.get(["small"])).get("small")).toBe("creates the bucket");
  });

  it("returns 25 MiB of text as text", { timeout: 30_000 }, async () => {
    const kv = namespaceOf("ns-long-text");
    await kv.put("small", "creates the bucket");
    await kv.put("a", new Uint8Array(25 * CHUNK_BYTES).fill(97));
    expect((await kv.get("a"))?.length).toBe(25 * CHUNK_BYTES);
    expect((await refusal(() => kv.get("a", "json"))).message).toContain("result_too_large");
  });

  it(
    "gives what a message has no room for as text as bytes, or as a stream",
    { timeout: 30_000 },
    async () => {
      const kv = namespaceOf("ns-wide-text");
      await kv.put("small", "creates the bucket");
      // One character that takes two bytes, and all the others do so too.
      const wide = `é€${"a".repeat(16 * CHUNK_BYTES)}`;
      await kv.put("a", new TextEncoder().encode(wide));
      expect((await refusal(() => kv.get("a"))).message).toContain("result_too_large");
      expect(new TextDecoder().decode((await kv.get("a", "arrayBuffer")) ?? undefined) === wide).toBe(true);
      expect((await new Response(await kv.get("a", "stream")).text()) === wide).toBe(true);
    },
  );

  it("refuses what is over a limit, with the limit's code", async () => {
    const kv = namespaceOf("ns-refused");
    expect((await refusal(() => kv.put("k".repeat(1_025), "1"))).message).toContain("key_too_long");
    expect((await refusal(() => kv.put("a", "1", { metadata: "x".repeat(1_025) }))).message).toContain(
      "metadata_too_large",
    );
    expect((await refusal(() => kv.put("", "1"))).message).toContain("key_invalid");
  });
});

describe("null", () => {
  const nothing = null as unknown as undefined & number;

  it.each([
    { expirationTtl: nothing },
    { expiration: nothing },
    { expirationTtl: nothing, expiration: 4_000_000_000 },
  ])("is no time to live: %j is refused, as in Workers KV, and never lives for ever", async (options) => {
    const kv = namespaceOf("ns-null-refused");
    await kv.put("kept", "1");
    expect(kvFailure(await refusal(() => kv.put("a", "1", options)))?.code).toBe("expires_invalid");
    expect((await kv.list()).keys).toEqual([{ name: "kept" }]);
  });

  it("is refused as a type and as a cacheTtl", async () => {
    const kv = namespaceOf("ns-null-read");
    for (const options of [{ type: null }, { cacheTtl: null }] as unknown as { type: "text" }[]) {
      expect(kvFailure(await refusal(() => kv.get("a", options)))?.code).toBe("query_invalid");
      expect(kvFailure(await refusal(() => kv.getWithMetadata("a", options)))?.code).toBe("query_invalid");
    }
  });

  it("counts as not given, as in Workers KV", async () => {
    const kv = namespaceOf("ns-null-taken");
    const none = null as unknown as undefined;
    await kv.put("a", "1", none);
    await kv.put("b", "1", { metadata: null });
    await kv.put("c", "1", { expiration: nothing, expirationTtl: 60 });
    expect([await kv.get("a", none), (await kv.list(none)).keys.length]).toEqual(["1", 3]);
    expect(
      (await kv.list({ prefix: null, cursor: null, limit: null as unknown as number })).keys,
    ).toHaveLength(3);
  });
});

describe("list", () => {
  it("goes page by page through keys with their metadata", async () => {
    const kv = namespaceOf("ns-list");
    for (const name of ["a", "b/1", "b/2", "b/3"]) await kv.put(name, "1", { metadata: { name } });
    const first = await kv.list({ prefix: "b/", limit: 2 });
    expect(first).toMatchObject({
      keys: [
        { name: "b/1", metadata: { name: "b/1" } },
        { name: "b/2", metadata: { name: "b/2" } },
      ],
      list_complete: false,
    });
    const cursor = first.list_complete ? "" : first.cursor;
    const last = await kv.list({ prefix: "b/", limit: 2, cursor });
    expect(last).toEqual({
      keys: [{ name: "b/3", metadata: { name: "b/3" } }],
      list_complete: true,
      cacheStatus: null,
    });
    expect(await kv.list({ prefix: null, cursor: null })).toMatchObject({ list_complete: true });
    expect((await kv.list({ cursor: "" })).keys).toHaveLength(4);
    expect((await kv.list({ limit: "2" as unknown as number })).keys).toHaveLength(2);
    expect((await kv.list({ limit: 0 })).keys).toHaveLength(4);
    for (const limit of [1_001, -1]) {
      expect((await refusal(() => kv.list({ limit }))).message).toContain("query_invalid");
    }
  });
});

describe("delete", () => {
  it("removes a key, and succeeds if the key does not exist", async () => {
    const kv = namespaceOf("ns-delete");
    await kv.put("a", "1");
    await kv.delete("a");
    await kv.delete("a");
    expect(await kv.get("a")).toBeNull();
  });

  it("takes the ttl that unstorage's driver passes on beside expirationTtl, and refuses one by itself", async () => {
    const notes = binding.namespace("namespace-ttl");
    const options = { expirationTtl: 60, ttl: 5 } as KVNamespacePutOptions;
    await notes.put("a", "1", options);
    expect((await notes.list()).keys).toMatchObject([
      { name: "a", expiration: expect.any(Number) as number },
    ]);
    const { message } = await refusal(() => notes.put("a", "2", { ttl: 5 } as KVNamespacePutOptions));
    expect(message).toContain("body_invalid: There is no option ttl. Give expirationTtl");
  });
});
