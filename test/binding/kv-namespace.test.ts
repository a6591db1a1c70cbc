/** A bucket that is bound in place of a namespace of Workers KV. */

import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { KvNamespaceProps } from "../../src/binding/types.ts";
import { kv, refusal } from "../support/binding.ts";

/** As `[[services]]` with these props binds it. */
function bound(props: unknown): KVNamespace {
  const entrypoint = exports.KvNamespace as unknown as (options: {
    readonly props: KvNamespaceProps;
  }) => KVNamespace;
  return entrypoint({ props: props as KvNamespaceProps });
}

describe("a binding of one bucket", () => {
  it("has the methods of a KVNamespace, and its first put creates the bucket", async () => {
    const carts = bound({ bucket: "bound-carts" });
    expect(await carts.get("ann")).toBeNull();
    expect(await kv.lookup("bound-carts")).toBeNull();
    await carts.put("ann", '{"milk":2}', { metadata: { v: 1 } });
    expect(await carts.get("ann", "json")).toEqual({ milk: 2 });
    expect(await carts.getWithMetadata("ann")).toMatchObject({ value: '{"milk":2}', metadata: { v: 1 } });
    expect([...(await carts.get(["ann", "bob"]))]).toEqual([
      ["ann", '{"milk":2}'],
      ["bob", null],
    ]);
    expect((await carts.list()).keys).toEqual([{ name: "ann", metadata: { v: 1 } }]);
    await carts.delete("ann");
    expect(await carts.get("ann")).toBeNull();
  });

  it("is the same data as the bucket of that name", async () => {
    await bound({ bucket: "bound-same" }).put("a", "1");
    expect(await kv.bucket("bound-same").get("a")).toBe("1");
  });

  it("with a prefix sees its own keys only, without the prefix", async () => {
    const ann = bound({ bucket: "bound-prefix", prefix: "ann/" });
    const bob = bound({ bucket: "bound-prefix", prefix: "bob/" });
    for (const key of ["1", "2", "3"]) await ann.put(key, `a${key}`);
    await bob.put("1", "b1");
    expect(await ann.get("1")).toBe("a1");
    expect(await bob.get("1")).toBe("b1");
    expect([...(await ann.get(["2", "4"]))]).toEqual([
      ["2", "a2"],
      ["4", null],
    ]);
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await ann.list({ limit: 2, ...(cursor === undefined ? {} : { cursor }) });
      names.push(...page.keys.map(({ name }) => name));
      cursor = page.list_complete ? undefined : page.cursor;
    } while (cursor !== undefined);
    expect(names).toEqual(["1", "2", "3"]);
    expect((await ann.list({ prefix: "2" })).keys).toEqual([{ name: "2" }]);
    await bob.delete("1");
    expect(await ann.get("1")).toBe("a1");
    expect((await kv.bucket("bound-prefix").list()).keys.map(({ key }) => key)).toEqual([
      "ann/1",
      "ann/2",
      "ann/3",
    ]);
  });

  it("does not show a key that is the prefix itself, which has no name there", async () => {
    await bound({ bucket: "bound-itself" }).put("ann/", "1");
    const ann = bound({ bucket: "bound-itself", prefix: "ann/" });
    await ann.put("1", "a1");
    expect((await ann.list()).keys).toEqual([{ name: "1" }]);
    expect((await ann.list({ limit: 1 })).list_complete).toBe(true);
  });

  it("is created by a large stream, which can't be sent twice, and not if it may only read", async () => {
    const large = "x".repeat(3 * 1_048_576);
    await bound({ bucket: "bound-streamed" }).put("a", new Response(large).body as ReadableStream);
    expect((await bound({ bucket: "bound-streamed" }).get("a")) === large).toBe(true);
    const reader = bound({ bucket: "bound-only-read", readonly: true });
    await refusal(() => reader.put("a", new Response(large).body as ReadableStream));
    expect(await kv.lookup("bound-only-read")).toBeNull();
  });

  it("does not take a list for complete whose bucket ended between two pages", async () => {
    const carts = bound({ bucket: "bound-cut" });
    await carts.put("a", "1");
    await carts.put("b", "1");
    const page = await carts.list({ limit: 1 });
    await kv.stop("bound-cut");
    const cursor = page.list_complete ? "" : page.cursor;
    expect((await refusal(() => carts.list({ limit: 1, cursor }))).message).toMatch(/^bucket_not_found/);
    expect(await carts.list()).toMatchObject({ keys: [], list_complete: true });
  });

  it("counts the prefix in the length of a key", async () => {
    const long = bound({ bucket: "bound-long", prefix: "p".repeat(1_000) });
    expect((await refusal(() => long.get("k".repeat(25)))).message).toContain("key_too_long");
    expect(await long.get("k".repeat(24))).toBeNull();
  });

  it("that is read-only reads, and refuses put and delete", async () => {
    await bound({ bucket: "bound-readonly" }).put("a", "1");
    const reader = bound({ bucket: "bound-readonly", readonly: true });
    expect(await reader.get("a")).toBe("1");
    expect((await reader.list()).keys).toEqual([{ name: "a" }]);
    expect((await refusal(() => reader.put("a", "2"))).message).toMatch(/^read_only: /);
    expect((await refusal(() => reader.delete("a"))).message).toMatch(/^read_only: /);
    expect(await reader.get("a")).toBe("1");
  });

  it.each([
    ["no props", undefined],
    ["no bucket", {}],
    ["a bucket that is not text", { bucket: 1 }],
    ["a prefix that is not text", { bucket: "b", prefix: 1 }],
    ["a readonly that is neither true nor false", { bucket: "b", readonly: "yes" }],
    ["a member that is not known", { bucket: "b", readOnly: true }],
  ])("with %s says so in every call", async (_, props) => {
    const { message } = await refusal(() => bound(props).get("a"));
    expect(message).toMatch(/^settings_invalid: The props of a KvNamespace binding, such as/);
  });

  it("with an invalid bucket name says so in every call", async () => {
    expect((await refusal(() => bound({ bucket: "No Such" }).get("a"))).message).toMatch(
      /^bucket_name_invalid/,
    );
  });
});
