/** A cache with a limit. */

import { describe, expect, it } from "vitest";
import { BoundedCache } from "../../src/lib/bounded-cache.ts";

describe("a bounded cache", () => {
  it("is bounded, and forgets what was used least recently", () => {
    const cache = new BoundedCache<number>({ limit: 3 });
    for (const [index, name] of ["a", "b", "c"].entries()) cache.set(name, index);
    cache.get("a");
    cache.set("d", 3);
    expect([cache.get("a"), cache.get("b"), cache.get("c"), cache.get("d")]).toEqual([0, undefined, 2, 3]);
    expect(cache.size).toBe(3);
  });

  it("counts weight, where values have one", () => {
    const cache = new BoundedCache<string>({ limit: 10, weigh: (text) => text.length });
    cache.set("a", "12345");
    cache.set("b", "12345");
    cache.set("b", "1234567");
    expect([cache.get("a"), cache.get("b")]).toEqual([undefined, "1234567"]);
    cache.set("c", "x".repeat(11));
    expect(cache.size).toBe(0);
    cache.clear();
    cache.set("d", "1234567890");
    expect(cache.size).toBe(1);
  });
});
