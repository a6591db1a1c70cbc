/** `kv incr`. */

import { describe, expect, it } from "vitest";
import { kv } from "../../e2e/support/cli.ts";
import { bucket, here, ok } from "../../e2e/support/kv-command.ts";

describe("kv incr", () => {
  it("adds, and prints the sum", async () => {
    const name = await bucket("sums");
    expect((await ok("incr", name, "n")).out).toBe("1\n");
    expect((await ok("incr", name, "n", "41")).out).toBe("42\n");
    expect((await ok("incr", name, "n", "--", "-2")).out).toBe("40\n");
    expect((await ok("incr", name, "m", "--initial", "10", "--json")).json()).toMatchObject([{ value: 11 }]);
  });

  it("counts beyond 2^53, and the same idempotency key once", async () => {
    const name = await bucket("beyond");
    const add = ["incr", name, "n", "9007199254740993", "--idempotency-key", "once"];
    await ok(...add);
    expect((await ok(...add)).out).toBe("9007199254740993\n");
    expect((await ok(...add, "--json")).json()).toMatchObject([{ value: "9007199254740993" }]);
  });

  it("is refused where the value is no number", async () => {
    const name = await bucket("words", { n: "one" });
    const { code, err } = await kv(here, "incr", name, "n");
    expect([code, err]).toEqual([3, expect.stringContaining("not_an_integer")]);
  });
});
