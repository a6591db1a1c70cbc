/** `kv keys`. */

import { beforeAll, describe, expect, it } from "vitest";
import { KV } from "../../e2e/support/cli.ts";
import { bucket, ok, service, started } from "../../e2e/support/kv-command.ts";

describe("kv keys", () => {
  beforeAll(() => bucket("fruit", { apple: 1, banana: 2, "bilberry\n": 3, cherry: 4 }));

  it.each([
    ["all of them, one on each line", [], 'apple\nbanana\n"bilberry\\n"\ncherry\n'],
    ["those of a prefix", ["--prefix", "ba"], "banana\n"],
    ["a range", ["--start", "banana", "--end", "cherry"], 'banana\n"bilberry\\n"\n'],
    ["backwards", ["--reverse", "--limit", "2"], 'cherry\n"bilberry\\n"\n'],
    ["with values", ["--values", "--limit", "2"], "apple\t1\nbanana\t2\n"],
  ])("lists %s", async (_, options, out) => {
    expect((await ok("keys", "fruit", ...options)).out).toBe(out);
  });

  it("lists them as JSON, one on each line", async () => {
    expect((await ok("keys", "fruit", "--json", "--values", "--limit", "1")).json()).toMatchObject([
      { key: "apple", value: "1", type: "application/json", size: 1, revision: 1 },
    ]);
  });

  it("shows a value that is too large for a list", async () => {
    const name = await bucket("wide", { k: "x".repeat(1_500_000) });
    expect((await ok("keys", name, "--values")).out).toHaveLength('k\t"\\"\\""\n'.length + 1_500_000);
  });

  it("ends quietly when its reader closes the pipe", async () => {
    const name = await bucket("many");
    const puts = Array.from({ length: 1_000 }, (_, n) => ({ op: "put", key: `k${n}`, value: n }) as const);
    for (const part of ["a", "b", "c", "d"]) {
      await service.bucket(name).batch(puts.map((put) => ({ ...put, key: put.key + part.repeat(200) })));
    }
    const pipe = `set -o pipefail; ${KV.join(" ")} keys ${name} | head -1`;
    expect(await started(["bash", "-c", pipe])).toMatchObject({
      code: 0,
      out: `k0${"a".repeat(200)}\n`,
      err: "",
    });
  });
});
