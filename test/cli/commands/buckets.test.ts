/** `kv create`, `kv buckets`, `kv lookup` and `kv stop`. */

import { describe, expect, it } from "vitest";
import { kv } from "../../e2e/support/cli.ts";
import { bucket, here, ok, service } from "../../e2e/support/kv-command.ts";

describe("kv create", () => {
  it("ensures that a bucket exists, and prints nothing", async () => {
    expect((await ok("create", "created")).out).toBe("");
    expect((await ok("create", "created", "--json")).json()).toMatchObject([
      { name: "created", created: false, restart: "permanent" },
    ]);
  });

  it("takes a restart kind and metadata", async () => {
    await ok("create", "kinds", "--restart", "temporary", "--metadata", '{"of":"ada"}');
    expect(await service.lookup("kinds")).toMatchObject({ restart: "temporary", metadata: { of: "ada" } });
  });

  it("is refused for an existing bucket with other options, which lookup shows", async () => {
    await ok("create", "otherwise", "--location", "weur");
    for (const option of [
      ["--restart", "temporary"],
      ["--metadata", "1"],
      ["--location", "enam"],
      ["--jurisdiction", "eu"],
    ]) {
      const { code, out, err } = await kv(here, "create", "otherwise", ...option);
      expect([code, out, err]).toEqual([3, "", expect.stringContaining("(bucket_exists_differently)")]);
    }
    expect((await ok("create", "otherwise", "--location", "weur", "--restart", "permanent")).out).toBe("");
    expect((await ok("lookup", "otherwise")).out).toContain("locationHint\tweur\n");
  });
});

describe("kv buckets, kv lookup and kv stop", () => {
  it("list, describe and stop buckets", async () => {
    await bucket("shelf-1", { a: 1 });
    await bucket("shelf-2");
    expect((await ok("buckets", "--prefix", "shelf-")).out).toBe("shelf-1\nshelf-2\n");
    expect((await ok("buckets", "--prefix", "shelf-", "--long")).out).toMatch(
      /^shelf-1\trunning\tpermanent\t(\d+|-)\t(\d+|-)\n/,
    );
    expect((await ok("buckets", "--prefix", "shelf-", "--json")).json()).toMatchObject([
      { name: "shelf-1" },
      { name: "shelf-2" },
    ]);
    expect((await ok("lookup", "shelf-1")).out).toMatch(/^name\tshelf-1\n[^]*^entries\t1\n/m);
    expect((await ok("lookup", "shelf-1", "--json")).json()).toMatchObject([{ entries: 1 }]);
    expect((await ok("stop", "shelf-1")).out).toBe("");
    expect((await ok("buckets", "--prefix", "shelf-")).out).toBe("shelf-2\n");
  });

  it.each(["lookup", "stop", "keys", "export", "watch"])(
    "kv %s of an unknown bucket is not found",
    async (verb) => {
      const { code, out, err } = await kv(here, verb, "nowhere");
      expect([code, out, err]).toEqual([1, "", expect.stringMatching(/^kv: There is no bucket nowhere\./)]);
    },
  );
});
