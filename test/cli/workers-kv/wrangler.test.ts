/** How `kv import --from-workers-kv` starts wrangler, several at once, and turns what it prints into lines. */

import { describe, expect, it } from "vitest";
import { ahead } from "../../../src/cli/workers-kv/ahead.ts";
import { lineOf } from "../../../src/cli/workers-kv/entry.ts";
import { bulkValues, npx } from "../../../src/cli/workers-kv/wrangler.ts";

describe("npx", () => {
  it("is started without a shell, on Windows as its script", () => {
    expect(npx("linux", "/usr/bin/node")).toEqual(["npx"]);
    const [program, script] = npx("win32", "/node/node.exe");
    expect([program, script?.replaceAll("\\", "/")]).toEqual([
      "/node/node.exe",
      "/node/node_modules/npm/bin/npx-cli.js",
    ]);
  });
});

describe("work ahead", () => {
  it("has a few results under way, and gives them in order", async () => {
    const begun: number[] = [];
    const results = [3, 1, 2, 0].map(() => Promise.withResolvers<string>());
    const all = ahead([0, 1, 2, 3], 2, (item) => {
      begun.push(item);
      return results[item]?.promise ?? Promise.reject(new Error("none"));
    });
    const first = all.next();
    results[1]?.resolve("b");
    expect(begun).toEqual([0, 1]);
    results[0]?.resolve("a");
    expect(await first).toEqual({ done: false, value: "a" });
    expect(begun).toEqual([0, 1, 2]);
    expect(await all.next()).toEqual({ done: false, value: "b" });
    results[2]?.resolve("c");
    results[3]?.resolve("d");
    expect([await all.next(), await all.next(), await all.next()]).toEqual([
      { done: false, value: "c" },
      { done: false, value: "d" },
      { done: true, value: undefined },
    ]);
  });

  it("ends with the first failure, once nothing is under way any more", async () => {
    let ended = 0;
    const all = ahead([0, 1, 2], 3, async (item) => {
      await Promise.resolve();
      ended += 1;
      if (item === 0) throw new Error("failed");
    });
    await expect(all.next()).rejects.toThrow("failed");
    expect(ended).toBe(3);
  });
});

describe("the values of a bulk get", () => {
  it("are text from remote storage, objects from local storage, and null without an entry", () => {
    const answer: unknown = JSON.parse(
      '{"a":"1","b":{"value":"2"},"c":null,"d":{"value":null},"e":5,"__proto__":"p"}',
    );
    expect([...bulkValues(answer as Record<string, unknown>)]).toEqual([
      ["a", "1"],
      ["b", "2"],
      ["c", null],
      ["d", null],
      ["__proto__", "p"],
    ]);
  });
});

describe("a line of an import", () => {
  it("has the expiry as a time, and no metadata that is null", () => {
    expect(lineOf({ key: "a", value: "1", expiration: 1_893_456_000, metadata: null })).toBe(
      '{"key":"a","expires":"2030-01-01T00:00:00.000Z","value":"1"}\n',
    );
    expect(lineOf({ key: "a", value: "1", expiration: null, ttl: 60, metadata: { v: 1 } })).toBe(
      '{"key":"a","ttl":60,"metadata":{"v":1},"value":"1"}\n',
    );
    // The service refuses it, and says why.
    expect(lineOf({ key: "a", value: "", expiration: 1e20 })).toContain('"expires":"100000000000000000000"');
  });

  it("has bytes as text if they are UTF-8, and as base64 otherwise, which comes last", () => {
    expect(lineOf({ key: "a", value: Uint8Array.from(Buffer.from("\ufeffé")) })).toBe(
      '{"key":"a","value":"\ufeffé"}\n',
    );
    expect(lineOf({ key: "a", value: Uint8Array.of(255), metadata: 1 })).toBe(
      '{"key":"a","metadata":1,"base64":"/w=="}\n',
    );
    expect(lineOf({ key: "a", value: "x".repeat(1_048_576) })).toMatch(
      /^\{"key":"a","type":"text\/plain; charset=utf-8","base64":"eHh4[^"]*"\}\n$/,
    );
  });
});
