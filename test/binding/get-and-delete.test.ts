/** getAndDelete over the service binding. */

import { describe, expect, it } from "vitest";
import { kvFailure } from "../../src/binding/failure.ts";
import { CHUNK_BYTES } from "../../src/model/limits.ts";
import { kv, refusal } from "../support/binding.ts";

const codeOf = async (work: () => Promise<unknown>): Promise<string | undefined> =>
  kvFailure(await refusal(work))?.code;

describe("getAndDelete over a binding", () => {
  it.each([
    ["small", 1],
    ["large", 3 * CHUNK_BYTES],
  ])("gives a %s value as each type, once", async (size, count) => {
    await kv.create(`taken-${size}`);
    const bucket = kv.bucket(`taken-${size}`);
    const value = JSON.stringify("x".repeat(count));
    const taken = {
      text: () => bucket.getAndDelete("a"),
      json: async () => JSON.stringify(await bucket.getAndDelete("a", "json")),
      arrayBuffer: async () => new Response(await bucket.getAndDelete("a", "arrayBuffer")).text(),
      stream: async () => new Response(await bucket.getAndDelete("a", "stream")).text(),
    };
    for (const [type, take] of Object.entries(taken)) {
      await bucket.put("a", value);
      expect([type, (await take()) === value]).toEqual([type, true]);
      expect(await bucket.getAndDelete("a", type as "text")).toBeNull();
    }
    expect((await bucket.list()).keys).toEqual([]);
  });

  it("deletes no value that can't be returned", async () => {
    await kv.create("taken-not");
    const bucket = kv.bucket("taken-not");
    await bucket.put("word", "no JSON");
    await bucket.put("wide", new TextEncoder().encode(`€${"x".repeat(20 * CHUNK_BYTES)}`));
    expect(await codeOf(() => bucket.getAndDelete("word", "json"))).toBe("value_invalid");
    expect(await codeOf(() => bucket.getAndDelete("wide"))).toBe("result_too_large");
    expect(await codeOf(() => bucket.getAndDelete("word", "bytes" as "text"))).toBe("query_invalid");
    expect((await bucket.list()).keys.map(({ key }) => key)).toEqual(["wide", "word"]);
  });

  it("deletes nothing if its condition does not hold, whatever the type", async () => {
    await kv.create("taken-conditions");
    const bucket = kv.bucket("taken-conditions");
    const { etag } = await bucket.put("a", "1");
    for (const type of ["text", "json", "stream"] as const) {
      for (const condition of [{ ifMatch: "other" }, { ifNoneMatch: etag }]) {
        const take = () => bucket.getAndDelete("a", type as "text", condition);
        expect(await codeOf(take)).toBe("precondition_failed");
      }
    }
    expect(await bucket.getAndDelete("a", "json", { ifMatch: etag })).toBe(1);
  });

  it("gives JSON to exactly one of many callers", async () => {
    await kv.create("taken-crowd");
    const bucket = kv.bucket("taken-crowd");
    await bucket.put("a", "7");
    const all = await Promise.all(Array.from({ length: 20 }, () => bucket.getAndDelete("a", "json")));
    expect(all.filter((value) => value !== null)).toEqual([7]);
  });
});
