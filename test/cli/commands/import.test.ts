/** `kv import`, of what `kv export` has written. */

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Kv } from "../../../src/client/index.ts";
import { kv, startKv, startKvProcess, type Ran } from "../../e2e/support/cli.ts";
import { bucket, here, ok, service } from "../../e2e/support/kv-command.ts";
import { NOWHERE } from "../../e2e/support/nowhere.ts";
import { startServer, temporaryFolder } from "../../e2e/support/server.ts";
import { startLimited } from "../../e2e/support/limited-proxy.ts";

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => byte);

const IN_A_DAY = new Date(Date.now() + 86_400_000);

const folder = temporaryFolder();

afterAll(() => folder.remove());

describe("kv export and kv import", () => {
  it("bring a bucket back, from a file or through pipes", async () => {
    const name = await bucket("exported", { a: 1 });
    await service.bucket(name).put("b", 2, { metadata: { x: 1 }, expires: IN_A_DAY });
    await kv({ ...here, input: EVERY_BYTE }, "put", name, "bytes");
    const file = join(folder.path, "exported.ndjson");
    expect((await ok("export", name, file)).out).toBe("");
    const lines = (await ok("export", name)).out;
    expect(await readFile(file, "utf8")).toBe(lines);
    expect(lines.split("\n")).toHaveLength(4);

    const nowhere = await kv(here, "import", "imported-nowhere", file);
    expect([nowhere.code, nowhere.err]).toEqual([
      1,
      expect.stringContaining("There is no bucket imported-nowhere"),
    ]);
    const unsent = await kv({ url: NOWHERE }, "import", "imported", file);
    expect([unsent.code, unsent.err]).toEqual([4, expect.stringContaining("Nothing was sent")]);

    await bucket("imported");
    expect((await ok("import", "imported", file)).out).toBe(
      "imported: 3 lines, 3 imported, 0 unchanged, 0 expired, 0 failed\n",
    );
    const again = await kv({ ...here, input: lines }, "import", "imported", "--json");
    expect(again.json()).toMatchObject([{ bucket: "imported", lines: 3, imported: 0, unchanged: 3 }]);
    expect((await ok("export", "imported")).out).toBe(lines);
    expect((await ok("export", "imported", "--prefix", "by")).out).toMatch(/^\{"key":"bytes".*\n$/);
  });

  it("stop at an invalid line, or skip it", async () => {
    const name = await bucket("faulty");
    const input = '{"key":"a","value":"1"}\nnonsense\n{"key":"b","value":"2"}\n';
    const stopped = await kv({ ...here, input }, "import", name);
    expect([stopped.code, stopped.err]).toEqual([3, expect.stringMatching(/^kv: faulty: Line 2: /)]);
    expect((await ok("keys", name)).out).toBe("a\n");
    const gone = await kv({ ...here, input }, "import", name, "--on-error", "continue");
    expect(gone).toMatchObject({
      code: 3,
      out: "faulty: 3 lines, 1 imported, 1 unchanged, 0 expired, 1 failed\n",
      err: expect.stringMatching(/^kv: faulty, line 2: /) as string,
    });
  });

  it("send more than a part in several requests, and number the lines of the whole file", async () => {
    const name = await bucket("parted");
    const lines = Array.from({ length: 40 }, (_, n) => `{"key":"k${n}","value":"${"v".repeat(100)}"}\n`);
    const file = join(folder.path, "parted.ndjson");
    await writeFile(file, lines.join(""));
    const whole = await ok("import", name, file, "--part-size", "0.001");
    expect(whole.out).toBe("parted: 40 lines, 40 imported, 0 unchanged, 0 expired, 0 failed\n");
    const input = [...lines.slice(0, 30), "nonsense\n", ...lines].join("");
    const options = { ...here, input };
    const stopped = await kv(options, "import", name, "--part-size", "0.001");
    expect([stopped.code, stopped.err]).toEqual([
      3,
      expect.stringMatching(/^kv: parted: Line 31: .* \(0 imported, 30 unchanged, 0 expired\)\n$/),
    ]);
    const gone = await kv(options, "import", name, "--part-size", "0.001", "--on-error", "continue");
    expect([gone.code, gone.out, gone.err]).toEqual([
      3,
      "parted: 71 lines, 0 imported, 70 unchanged, 0 expired, 1 failed\n",
      expect.stringMatching(/^kv: parted, line 31: /),
    ]);
  });

  it("say which option helps when a proxy refuses a request's size", async () => {
    const name = await bucket("refused-size");
    const proxy = await startLimited(1_200);
    const lines = Array.from({ length: 40 }, (_, n) => `{"key":"k${n}","value":"${"v".repeat(100)}"}\n`);
    const input = [...lines.slice(0, 9), `{"key":"long","value":"${"v".repeat(2_000)}"}\n`, ...lines].join(
      "",
    );
    // In a process of its own: within this one, every answer is held against the service's description.
    const run = (...args: readonly string[]): Promise<Ran> => {
      const running = startKvProcess({ url: proxy.url }, "import", name, ...args);
      running.end(input);
      return running.ended;
    };
    const refused = await run();
    expect([refused.code, refused.err]).toEqual([
      4,
      expect.stringContaining("Set --part-size below its limit"),
    ]);
    // A line that is longer than the limit is refused by itself, and what came before it is known.
    const { code, err } = await run("--part-size", "0.001");
    expect([code, err]).toEqual([
      4,
      expect.stringMatching(/^kv: So far, refused-size: 9 lines, 9 imported, .*\nkv: .*--part-size/),
    ]);
    proxy.close();
  });

  it("say what is known when they are interrupted", async () => {
    const name = await bucket("interrupted-import");
    const importing = startKv(here, "import", name, "--part-size", "0.001");
    for (let n = 0; n < 20; n += 1) importing.write(`{"key":"k${n}","value":"${"v".repeat(100)}"}\n`);
    await expect.poll(async () => (await service.lookup(name))?.entries).toBeGreaterThan(7);
    importing.interrupt();
    const { code, out, err } = await importing.ended;
    expect([code, out]).toEqual([130, ""]);
    expect(err).toContain("interrupted-import: Interrupted.");
    expect(err).toContain("Importing the same again changes nothing.");
  });

  it("take no part size that is none, and no options that they can't heed", async () => {
    for (const args of [
      ["b", "--part-size", "0"],
      ["b", "--part-size", "1e3"],
      ["b", "--part-size", "-1"],
      ["b", "--resume"],
      ["b", "--remote"],
      ["b", "--persist-to", "folder"],
      ["b", "--keys", "keys.json"],
      ["b", "--from-workers-kv", "--env", "staging"],
      ["b", "--from-workers-kv", "CARTS", "--keys", "keys.json"],
      ["b", "--from-workers-kv", "CARTS", "--persist-to", "folder"],
      ["b", "--from-workers-kv", "CARTS", "--remote", "--local"],
      ["b", "file.json", "--from-workers-kv", "CARTS"],
      ["b", "--from-workers-kv", "file.json"],
      ["--all", "backup", "--from-workers-kv", "CARTS"],
      ["--from-workers-kv", "CARTS"],
    ]) {
      const { code, err } = await kv(here, "import", ...args);
      expect([code, err], args.join(" ")).toEqual([2, expect.stringMatching(/^error: /)]);
    }
  });

  it("bring the whole service to another one", async () => {
    const [old, fresh] = await Promise.all([startServer(), startServer()]);
    const source = new Kv({ url: old.http });
    await source.create("Shop");
    await source.create("shop", { restart: "temporary", metadata: [1] });
    await source.create("n".repeat(256));
    await source.bucket("Shop").put("upper", 1);
    await source.bucket("shop").put("lower", 2, { metadata: "m" });
    const [first, second] = [join(folder.path, "first"), join(folder.path, "second")];
    const exported = await kv({ url: old.http }, "export", "--all", first);
    expect(exported).toMatchObject({ code: 0, out: `3 buckets in ${first}\n` });
    expect((await kv({ url: fresh.http }, "import", "--all", first)).code).toBe(0);
    expect((await kv({ url: fresh.http }, "export", "--all", second)).code).toBe(0);
    for (const file of ["buckets.json", "%53hop.ndjson", "shop.ndjson"]) {
      expect(await readFile(join(second, file), "utf8")).toBe(await readFile(join(first, file), "utf8"));
    }
    expect(await readFile(join(first, "shop.ndjson"), "utf8")).toContain('"lower"');
    expect(await new Kv({ url: fresh.http }).lookup("shop")).toMatchObject({
      restart: "temporary",
      metadata: [1],
    });

    // One that breaks off does not pass for whole with the list of the one before.
    await rm(join(first, "shop.ndjson"));
    await mkdir(join(first, "shop.ndjson"));
    expect((await kv({ url: old.http }, "export", "--all", first)).code).toBe(2);
    expect((await kv({ url: fresh.http }, "import", "--all", first)).err).toContain(
      "is not an export, or an incomplete one",
    );
    await Promise.all([old.stop(), fresh.stop()]);
  });

  it("do not import into an existing bucket with other options", async () => {
    await ok("create", "import-otherwise");
    const backup = join(folder.path, "otherwise");
    await mkdir(backup);
    const list = { buckets: [{ name: "import-otherwise", restart: "temporary" }] };
    await writeFile(join(backup, "buckets.json"), JSON.stringify(list));
    await writeFile(join(backup, "import-otherwise.ndjson"), '{"key":"a","value":"1"}\n');
    const { code, err } = await kv(here, "import", "--all", backup);
    expect([code, err]).toEqual([3, expect.stringContaining("(bucket_exists_differently)")]);
    expect(await service.lookup("import-otherwise")).toMatchObject({ restart: "permanent", entries: 0 });
  });

  it("require a folder that is an export", async () => {
    const { code, err } = await kv(here, "import", "--all", folder.path);
    expect([code, err]).toEqual([2, expect.stringContaining("buckets.json")]);
  });
});
