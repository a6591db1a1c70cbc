/** `kv import --from-workers-kv`, with a stand-in for wrangler. */

import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { bytes, Kv } from "../../../src/client/index.ts";
import { kv, startKv, type Ran } from "../../e2e/support/cli.ts";
import { base64, fakeWrangler, type FakeWrangler, type OldEntry } from "../../e2e/support/fake-wrangler.ts";
import { bucket, here, service } from "../../e2e/support/kv-command.ts";
import { temporaryFolder } from "../../e2e/support/server.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

const IN_A_DAY = Math.ceil(Date.now() / 1_000) + 86_400;
/** Longer than what the service reads as a line of text. */
const LONG = "\0é".repeat(3 * 1_048_576);
const NOT_UTF8 = Uint8Array.of(0xff, 0, 0xfe);

async function old(name: string, entries: Readonly<Record<string, OldEntry>>): Promise<FakeWrangler> {
  const own = join(folder.path, name);
  await mkdir(own);
  return fakeWrangler(own, entries);
}

const many = (count: number): Readonly<Record<string, OldEntry>> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, n) => [`k${String(n).padStart(4, "0")}`, { base64: base64(`${n}`) }]),
  );

/** `kv import <bucket> --from-workers-kv CARTS …`. */
function move({ folder: first }: FakeWrangler, name: string, ...args: readonly string[]): Promise<Ran> {
  const PATH = first + delimiter + String(process.env["PATH"]);
  return kv({ ...here, environment: { PATH } }, "import", name, "--from-workers-kv", "CARTS", ...args);
}

const bytesIn = (name: string) =>
  new Kv({ url: here.url }).bucket<Record<string, Uint8Array>>(name, { codec: bytes });

describe("kv import --from-workers-kv", () => {
  it.each(["--remote", "--local"])("moves values, expiry and metadata: %s", async (where) => {
    const name = await bucket(`moved${where}`);
    const wrangler = await old(name, {
      text: { base64: base64('x "y"\n\0é'), expiration: IN_A_DAY, metadata: { v: [1] } },
      photo: { base64: base64(NOT_UTF8), metadata: "m" },
      replaced: { base64: base64("a\ufffdb") },
      empty: { base64: "" },
      lost: { base64: base64("wrangler leaves it out of a bulk get") },
      ...many(205),
    });
    const { code, out, err } = await move(wrangler, name, ...(where === "--local" ? [where] : []));
    expect([code, err, out]).toEqual([
      0,
      "",
      `${name}: 210 keys, 210 imported, 0 unchanged, 0 expired, 0 failed\n`,
    ]);
    const moved = bytesIn(name);
    expect(await moved.entry("text")).toMatchObject({
      value: Uint8Array.from(Buffer.from('x "y"\n\0é')),
      type: "text/plain; charset=utf-8",
      expires: new Date(IN_A_DAY * 1_000),
      metadata: { v: [1] },
    });
    expect(await moved.entry("photo")).toMatchObject({
      value: NOT_UTF8,
      type: "application/octet-stream",
      metadata: "m",
    });
    expect(new TextDecoder().decode(await moved.get("replaced"))).toBe("a\ufffdb");
    expect((await moved.get("empty"))?.byteLength).toBe(0);
    expect(new TextDecoder().decode(await moved.get("k0204"))).toBe("204");
    const asked = await wrangler.asked();
    const options = `--binding CARTS ${where}`;
    expect(asked.filter((words) => words === `bulk get ${options}`)).toHaveLength(3);
    expect(asked.filter((words) => !words.startsWith("bulk")).toSorted()).toEqual([
      `key get lost ${options}`,
      `key get photo ${options}`,
      `key get replaced ${options}`,
      `key list ${options}`,
    ]);
    // Again, it changes nothing.
    expect((await move(wrangler, name, where, "--json")).json()).toMatchObject([
      { bucket: name, keys: 210, imported: 0, unchanged: 210 },
    ]);
  });

  it("goes on with --resume after a failure, and keeps what was written to the bucket meanwhile", async () => {
    const name = await bucket("moved-resumed");
    const wrangler = await old(name, { ...many(250), "~photo": { base64: base64(NOT_UTF8) } });
    await wrangler.fail("key get");
    const failed = await move(wrangler, name);
    expect([failed.code, failed.out]).toEqual([2, ""]);
    expect(failed.err).toMatch(
      /^kv: moved-resumed: 251 keys, 200 imported, .*That was 200 of 251 keys\. Run the same command with --resume to go on\.\nerror: wrangler kv key get failed: \[ERROR\] A request to the Cloudflare API failed\.\n$/,
    );
    await wrangler.fail(undefined);
    await service.bucket(name).put("k0000", "newer");
    const before = (await wrangler.asked()).length;
    const { code, out } = await move(wrangler, name, "--resume");
    expect([code, out]).toEqual([
      0,
      "moved-resumed: 251 keys, 51 imported, 0 unchanged, 0 expired, 0 failed, 200 already in the bucket\n",
    ]);
    expect((await wrangler.asked()).slice(before)).toHaveLength(3);
    expect(await service.bucket(name).get("k0000")).toBe("newer");
    // Without it, everything is moved again, over what is there.
    await move(wrangler, name);
    expect(await service.bucket(name).get("k0000")).toBe(0);
  });

  it("says how far it came when it is interrupted, and ends wrangler", async () => {
    const name = await bucket("moved-interrupted");
    const wrangler = await old(name, { ...many(100), "~photo": { base64: base64(NOT_UTF8) } });
    await wrangler.hang("key get");
    const PATH = wrangler.folder + delimiter + String(process.env["PATH"]);
    const moving = startKv({ ...here, environment: { PATH } }, "import", name, "--from-workers-kv", "CARTS");
    await expect.poll(() => wrangler.asked()).toContain("key get ~photo --binding CARTS --remote");
    await expect.poll(async () => (await service.lookup(name))?.entries).toBe(100);
    moving.interrupt();
    const { code, out, err } = await moving.ended;
    expect([code, out]).toEqual([130, ""]);
    expect(err).toMatch(
      /100 imported, .*That was 100 of 101 keys\. Run the same command with --resume to go on\.\n$/,
    );
  });

  it("reads values in smaller pages, and at last alone, if they are too large together", async () => {
    const name = await bucket("moved-large");
    const wrangler = await old(name, { ...many(9), large: { base64: base64("too large") } });
    expect((await move(wrangler, name)).out).toContain("10 imported");
    expect(await wrangler.asked()).toContain("bulk get --binding CARTS --remote");
    const alone = await old("moved-large-alone", { large: { base64: base64("too large") } });
    await alone.fail("bulk get");
    expect((await move(alone, name)).out).toContain("1 unchanged");
  });

  it("counts what has expired or was deleted meanwhile, and skips what can't be moved, by name", async () => {
    const name = await bucket("moved-faulty");
    const wrangler = await old(name, {
      a: { base64: base64("1") },
      "nul\0key": { base64: base64(NOT_UTF8) },
      "-binary": { base64: base64(NOT_UTF8) },
      "-text": { base64: base64("t") },
      over: { base64: base64("1"), expiration: 1_000_000_000 },
      gone: { base64: "", gone: true },
    });
    const { code, out, err } = await move(wrangler, name);
    expect([code, out]).toEqual([
      3,
      "moved-faulty: 6 keys, 2 imported, 0 unchanged, 1 expired, 2 failed, 1 deleted meanwhile\n",
    ]);
    expect(err).toMatch(/^kv: moved-faulty, key "nul\\u0000key": .*\nkv: moved-faulty, key "-binary": .*\n$/);
    const stopped = await move(wrangler, name, "--on-error", "stop");
    expect([stopped.code, stopped.out]).toEqual([3, ""]);
    expect(stopped.err).toMatch(/\nkv: moved-faulty, key "-binary": /);
  });

  it("stops at a refused entry with --on-error stop, and names it", async () => {
    const name = await bucket("moved-stopped");
    const wrangler = await old(name, {
      a: { base64: base64("1") },
      "nul\0key": { base64: base64("1") },
      z: { base64: base64("1") },
    });
    const { code, err } = await move(wrangler, name, "--on-error", "stop");
    expect([code, err]).toEqual([3, expect.stringMatching(/\nkv: moved-stopped, key "nul\\u0000key": /)]);
    expect((await kv(here, "keys", name)).out).toBe("a\n");
  });

  it("passes wrangler's options on", async () => {
    const name = await bucket("moved-options");
    const wrangler = await old(name, {});
    const options = ["--local", "--config", "old/wrangler.toml", "--env", "staging", "--persist-to", "data"];
    expect((await move(wrangler, name, ...options)).out).toContain("0 keys");
    expect(await wrangler.asked()).toEqual([
      "key list --binding CARTS --local --config old/wrangler.toml --env staging --persist-to data",
    ]);
  });

  it("needs a bucket, before it asks wrangler for anything", async () => {
    const wrangler = await old("moved-nowhere", {});
    const { code, err } = await move(wrangler, "moved-nowhere");
    expect([code, err]).toEqual([1, "kv: There is no bucket moved-nowhere.\n"]);
    expect(await wrangler.asked()).toEqual([]);
  });

  it("says what is missing if there is no npx", async () => {
    const name = await bucket("moved-without-npx");
    const environment = { PATH: join(folder.path, "nothing") };
    const { code, err } = await kv({ ...here, environment }, "import", name, "--from-workers-kv", "CARTS");
    expect([code, err]).toEqual([2, expect.stringMatching(/^error: npx was not found/)]);
  });
});

describe("kv import <file> --from-workers-kv", () => {
  const given = async (name: string, json: unknown): Promise<string> => {
    const path = join(folder.path, name);
    await writeFile(path, JSON.stringify(json));
    return path;
  };
  const importFile = (name: string, file: string, ...args: readonly string[]): Promise<Ran> =>
    kv(here, "import", name, file, "--from-workers-kv", ...args);

  it("imports what wrangler kv bulk put reads", async () => {
    const name = await bucket("from-bulk-put");
    const entries = [
      { key: "text", value: "1", expiration: IN_A_DAY, metadata: { v: 1 } },
      { key: "bytes", value: base64(NOT_UTF8), base64: true },
      { key: "ttl", value: "2", expiration_ttl: 3_600 },
      { key: "long", value: LONG },
    ];
    const { code, out } = await importFile(name, await given("put.json", entries));
    expect([code, out]).toEqual([0, "from-bulk-put: 4 keys, 4 imported, 0 unchanged, 0 expired, 0 failed\n"]);
    const moved = bytesIn(name);
    expect(await moved.entry("text")).toMatchObject({
      expires: new Date(IN_A_DAY * 1_000),
      metadata: { v: 1 },
    });
    expect(await moved.get("bytes")).toEqual(NOT_UTF8);
    expect(await moved.entry("long")).toMatchObject({ type: "text/plain; charset=utf-8" });
    expect(new TextDecoder().decode(await moved.get("long")) === LONG).toBe(true);
    expect((await moved.entry("ttl"))?.expires?.getTime()).toBeGreaterThan(Date.now());
    const input = JSON.stringify(entries);
    const again = await kv({ ...here, input }, "import", name, "--from-workers-kv", "--resume");
    expect(again.out).toContain("0 imported, 0 unchanged, 0 expired, 0 failed, 4 already in the bucket");
  });

  it.each([
    ["remote", { a: "1", gone: null, bytes: "\ufffd" }],
    ["local", { a: { value: "1" }, gone: { value: null }, bytes: { value: "\ufffd" } }],
  ])("imports what wrangler kv bulk get prints, with the list of keys: %s", async (where, values) => {
    const name = await bucket(`from-bulk-get-${where}`);
    const keys = [{ name: "a", expiration: IN_A_DAY, metadata: [1] }, { name: "bytes" }, { name: "gone" }];
    const file = await given(`get-${where}.json`, values);
    const { code, out, err } = await importFile(name, file, "--keys", await given("keys.json", keys));
    expect([code, out]).toEqual([
      3,
      `${name}: 3 keys, 1 imported, 0 unchanged, 0 expired, 1 failed, 1 deleted meanwhile\n`,
    ]);
    expect(err).toMatch(/key "bytes": The value contains U\+FFFD/);
    expect(await service.bucket(name).entry("a")).toMatchObject({
      expires: new Date(IN_A_DAY * 1_000),
      metadata: [1],
    });
  });

  it("refuses a file that lacks something, and says what", async () => {
    const name = await bucket("from-files-refused");
    const keys = await given("some-keys.json", [{ name: "a" }]);
    const refusals: readonly (readonly [unknown, readonly string[], RegExp])[] = [
      [{ a: "1" }, [], /without expiry and metadata\. Add --keys/],
      [{ a: "1", b: "2" }, ["--keys", keys], /lacks the key "b"/],
      [{ a: 1 }, ["--keys", keys], /is not what/],
      [[{ name: "a" }], [], /is a list of keys, without values/],
      [[{ key: "a", value: "1" }], ["--keys", keys], /Leave --keys out/],
      [[{ key: "a", value: 1 }], [], /is not what/],
      [[null], [], /is not what/],
      ["text", [], /is not what/],
    ];
    for (const [json, args, why] of refusals) {
      const { code, err } = await importFile(name, await given("refused.json", json), ...args);
      expect([code, err]).toEqual([2, expect.stringMatching(why)]);
    }
    const { code, err } = await kv({ ...here, input: "{" }, "import", name, "--from-workers-kv");
    expect([code, err]).toEqual([2, expect.stringMatching(/^error: stdin is not JSON/)]);
  });
});
