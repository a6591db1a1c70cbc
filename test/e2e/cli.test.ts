/** `kv`, command by command. */

import { once } from "node:events";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Kv } from "../../src/client/index.ts";
import { KV, kv, start, startKv, startKvProcess, type CliOptions, type Ran } from "./support/cli.ts";
import { NOWHERE } from "./support/nowhere.ts";
import { startProxy } from "./support/proxy.ts";
import { startServer, temporaryFolder, type RunningServer } from "./support/server.ts";

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const IN_A_DAY = new Date(Date.now() + 86_400_000);
const SECRET = "a secret, with blanks";

let server: RunningServer;
let locked: RunningServer;
let here: CliOptions;
let service: Kv;
const folder = temporaryFolder();

beforeAll(async () => {
  [server, locked] = await Promise.all([startServer(), startServer({ environment: { KV_TOKEN: SECRET } })]);
  here = { url: server.http };
  service = new Kv({ url: server.http });
});
afterAll(async () => {
  await Promise.all([server.stop(), locked.stop(), folder.remove()]);
});

/** A bucket that is there, with these values. */
async function bucket(name: string, values: Readonly<Record<string, unknown>> = {}): Promise<string> {
  await service.create(name);
  for (const [key, value] of Object.entries(values)) await service.bucket(name).put(key, value);
  return name;
}

/** What a command says that has done what it was told. */
async function ok(...args: readonly string[]): Promise<Ran> {
  const ran = await kv(here, ...args);
  expect({ code: ran.code, err: ran.err }).toEqual({ code: 0, err: "" });
  return ran;
}

/** What a program says, in an environment that knows the service. */
function started(command: readonly string[]): Promise<Ran> {
  return start(command, { KV_URL: here.url }).ended;
}

describe("kv create", () => {
  it("ensures that there is a bucket, and says nothing", async () => {
    expect((await ok("create", "created")).out).toBe("");
    expect((await ok("create", "created", "--json")).json()).toMatchObject([
      { name: "created", created: false, restart: "permanent" },
    ]);
  });

  it("takes a restart kind and metadata", async () => {
    await ok("create", "kinds", "--restart", "temporary", "--metadata", '{"of":"ada"}');
    expect(await service.lookup("kinds")).toMatchObject({ restart: "temporary", metadata: { of: "ada" } });
  });

  it("of a bucket that was created otherwise is refused, and lookup shows how it was", async () => {
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

describe("kv put and kv get", () => {
  it("keep a value of the command line as text", async () => {
    await bucket("texts");
    await ok("put", "texts", "milk", "1 litre, ½ fat");
    expect((await ok("get", "texts", "milk")).out).toBe("1 litre, ½ fat");
    expect((await ok("get", "texts", "milk", "--json")).json()).toMatchObject([
      { key: "milk", type: "text/plain; charset=utf-8", value: "1 litre, ½ fat", revision: 1 },
    ]);
  });

  it.each(["of stdin", "of -"])("leave the bytes %s untouched", async (how) => {
    const name = await bucket("bytes");
    const put = ["put", name, how, ...(how === "of -" ? ["-"] : [])];
    expect((await kv({ ...here, input: EVERY_BYTE }, ...put)).code).toBe(0);
    expect((await ok("get", name, how)).bytes).toEqual(EVERY_BYTE);
    expect((await ok("get", name, how, "--json")).json()).toMatchObject([
      { type: "application/octet-stream", base64: Buffer.from(EVERY_BYTE).toString("base64") },
    ]);
  });

  it("carry what is larger than a page", async () => {
    const name = await bucket("large");
    const large = Buffer.alloc(5_000_000, EVERY_BYTE);
    await kv({ ...here, input: large }, "put", name, "k");
    expect(Buffer.compare((await ok("get", name, "k")).bytes, large)).toBe(0);
  });

  it("keep a type, metadata and a time to live", async () => {
    const name = await bucket("properties");
    await ok("put", name, "a", "{}", "--type", "application/json", "--metadata", "[1]", "--ttl", "60");
    await ok("put", name, "b", "1", "--expires", IN_A_DAY.toISOString());
    expect((await ok("get", name, "a", "--json")).json()).toMatchObject([
      { type: "application/json", metadata: [1], expires: expect.stringMatching(/^20/) as string },
    ]);
    expect((await ok("get", name, "b", "--json")).json()).toMatchObject([
      { expires: IN_A_DAY.toISOString() },
    ]);
  });

  it("put under a condition", async () => {
    const name = await bucket("conditions");
    const [{ etag }] = (await ok("put", name, "k", "1", "--if-none-match", "*", "--json")).json() as [
      { readonly etag: string },
    ];
    const again = await kv(here, "put", name, "k", "2", "--if-none-match", "*");
    expect([again.code, again.err]).toEqual([1, expect.stringContaining("precondition_failed")]);
    await ok("put", name, "k", "3", "--if-match", etag);
    expect((await kv(here, "put", name, "k", "4", "--if-match", etag)).code).toBe(1);
    expect((await ok("get", name, "k")).out).toBe("3");
  });

  it("say of a key that is not there nothing on stdout", async () => {
    const name = await bucket("nothing");
    expect(await kv(here, "get", name, "k")).toMatchObject({
      code: 1,
      out: "",
      err: "kv: There is no key k in bucket nothing.\n",
    });
  });

  it.each([["put", "k"], ["import"], ["repl"]])("%s refuses a folder for stdin", async (verb, ...rest) => {
    const name = await bucket("folders");
    const words = [verb, ...(verb === "repl" ? [] : [name, ...rest])].join(" ");
    const ran = await started(["bash", "-c", `${KV.join(" ")} ${words} < ${folder.path}`]);
    expect(ran).toMatchObject({ code: 2, out: "", err: "error: stdin is a folder.\n" });
    expect((await ok("keys", name)).out).toBe("");
  });

  it("take a value that looks like an option behind --", async () => {
    const name = await bucket("dashes");
    await ok("put", name, "k", "--", "--json");
    expect((await ok("get", name, "k")).out).toBe("--json");
  });
});

describe("kv delete", () => {
  it("deletes a key, also one that is not there", async () => {
    const name = await bucket("deletes", { a: 1 });
    expect((await ok("delete", name, "a")).out).toBe("");
    expect((await ok("delete", name, "a", "--json")).json()).toEqual([{ deleted: false }]);
    expect((await kv(here, "delete", name, "a", "--if-match", "*")).code).toBe(1);
  });

  it("deletes all keys of a prefix or range", async () => {
    const name = await bucket("ranges", { a: 1, "b/1": 1, "b/2": 1, c: 1, d: 1 });
    expect((await ok("delete", name, "--prefix", "b/", "--json")).json()).toEqual([{ deleted: 2 }]);
    await ok("delete", name, "--start", "c", "--end", "d");
    expect((await ok("keys", name)).out).toBe("a\nd\n");
  });

  it("wants a key or a range", async () => {
    expect((await kv(here, "delete", "ranges")).code).toBe(2);
    expect((await kv(here, "delete", "ranges", "a", "--prefix", "a")).code).toBe(2);
  });
});

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

  it("shows a value that does not travel with others", async () => {
    const name = await bucket("wide", { k: "x".repeat(1_500_000) });
    expect((await ok("keys", name, "--values")).out).toHaveLength('k\t"\\"\\""\n'.length + 1_500_000);
  });

  it("goes into a pipe by name, through a link, and under the permissions that are there", async () => {
    const name = await bucket("targets");
    await service.bucket(name).put("a", 1);
    const command = `${KV.join(" ")} export ${name}`;
    const script = `set -e; cd "$(mktemp -d)"; mkfifo pipe; cat pipe > piped & ${command} pipe; wait; test -p pipe
      echo old > target; chmod 600 target; ln -s target link; ${command} link; test -L link
      cmp piped target; stat -c %a target`;
    expect(await started(["bash", "-c", script])).toMatchObject({ code: 0, out: "600\n" });
  });

  it("keeps metadata as it is said, or refuses it", async () => {
    const name = await bucket("metadata");
    await ok("put", name, "a", "1", "--metadata", "null");
    expect((await service.bucket(name).entry("a"))?.metadata ?? null).toBeNull();
    expect(
      (await kv({ url: server.http }, "put", name, "a", "1", "--metadata", '{"a":12345678901234567890}'))
        .code,
    ).toBe(2);
  });

  it("keeps metadata's fractions, however long they are said", async () => {
    const name = await bucket("fractions");
    await ok("put", name, "a", "1", "--metadata", '{"pi":3.14159265358979323}');
    expect((await service.bucket(name).entry("a"))?.metadata).toEqual({ pi: Math.PI });
  });

  it("refuses more from stdin than a value may have, before it has all of it", async () => {
    const name = await bucket("endless");
    const command = `head -c 200M /dev/zero | ${KV.join(" ")} put ${name} a`;
    expect(await started(["bash", "-c", command])).toMatchObject({
      code: 3,
      err: "kv: A value has at most 26214400 bytes. Nothing was sent.\n",
    });
  });

  it("shows a reason in one line, whatever it is", async () => {
    const name = await bucket("reasons");
    await ok("exit", name, "a\nbytes\t999");
    expect((await ok("lookup", name)).out).toContain('\nlastReason\t"a\\nbytes\\t999"\n');
  });

  it("says so when what it prints can't be written", async () => {
    const name = await bucket("full");
    await service.bucket(name).put("a", 1);
    const { code, err } = await started(["bash", "-c", `${KV.join(" ")} export ${name} > /dev/full`]);
    expect([code, err]).toEqual([2, expect.stringMatching(/^error: ENOSPC: [^\n]+\n$/)]);
  });

  it("ends quietly when its reader has enough", async () => {
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

describe("kv buckets, kv lookup and kv stop", () => {
  it("list, tell of, and end buckets", async () => {
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

  it.each(["lookup", "stop", "keys", "export", "watch"])("kv %s of none is not found", async (verb) => {
    const { code, out, err } = await kv(here, verb, "nowhere");
    expect([code, out, err]).toEqual([1, "", expect.stringMatching(/^kv: There is no bucket nowhere\./)]);
  });
});

describe("kv exit", () => {
  it("sends an exit signal, which a permanent bucket survives and a temporary one does not", async () => {
    const name = await bucket("signalled", { a: 1 });
    await service.create("fleeting", { restart: "temporary" });
    expect((await ok("exit", name, "tidy up")).out).toBe("");
    expect(await service.lookup(name)).toMatchObject({ restarts: 1, lastReason: "tidy up" });
    await ok("exit", "fleeting", "tidy up");
    expect(await kv(here, "exit", "fleeting", "again")).toMatchObject({
      code: 1,
      err: "kv: There is no bucket fleeting.\n",
    });
  });
});

describe("kv watch", () => {
  it("prints what is there, then each change, until Ctrl-C", async () => {
    const name = await bucket("watched", { a: 1 });
    const watcher = startKv(here, "watch", name, "--snapshot");
    await watcher.until(/end_of_snapshot\n/);
    await ok("put", name, "b", "two\nlines");
    await ok("delete", name, "a");
    await watcher.until(/delete/);
    watcher.interrupt();
    expect(await watcher.ended).toMatchObject({
      code: 130,
      out: 'entry\ta\t1\nend_of_snapshot\nput\tb\t"two\\nlines"\ndelete\ta\n',
      err: "",
    });
  });

  it("prints JSON, and goes on behind an id", async () => {
    const name = await bucket("resumed", { a: 1, b: 2, c: 3 });
    const first = startKv(here, "watch", name, "--since", "0", "--json", "--prefix", "b");
    await first.until(/\n/);
    first.interrupt();
    const [change] = (await first.ended).json() as [{ readonly id: string }];
    expect(change).toMatchObject({ event: "put", key: "b", value: "2", revision: 2 });
    const next = startKv(here, "watch", name, "--since", change.id, "--no-values");
    await next.until(/\n/);
    next.interrupt();
    expect((await next.ended).out).toBe("put\tc\n");
  });

  it("follows one key, and ends with its bucket", async () => {
    const name = await bucket("ending", { a: 1, b: 2 });
    const watcher = startKv(here, "watch", name, "--key", "b", "--snapshot");
    await watcher.until(/end_of_snapshot\n/);
    await ok("stop", name);
    expect(await watcher.ended).toMatchObject({
      code: 1,
      out: "entry\tb\t2\nend_of_snapshot\n",
      err: expect.stringContaining("normal") as string,
    });
  });
});

describe("kv monitor", () => {
  it("prints restarts, and ends with the end", async () => {
    const name = await bucket("monitored");
    const proxy = await startProxy(() => server.http);
    const [text, json] = [[], ["--json"]].map((options) =>
      startKv({ url: proxy.url }, "monitor", name, ...options),
    ) as [ReturnType<typeof startKv>, ReturnType<typeof startKv>];
    await proxy.answered(`/v1/buckets/${name}/monitor`, 2);
    await service.exit(name, "tidy up");
    await Promise.all([text.until(/RESTARTED/), json.until(/RESTARTED/)]);
    await ok("stop", name);
    expect(await text.ended).toMatchObject({
      code: 0,
      out: "RESTARTED monitored tidy up\nDOWN monitored normal\n",
    });
    expect((await json.ended).json()).toMatchObject([
      { event: "RESTARTED", name, reason: "tidy up" },
      { event: "DOWN", name, reason: "normal" },
    ]);
    proxy.close();
  });

  it("of no bucket is DOWN at once", async () => {
    expect((await ok("monitor", "nowhere")).out).toBe("DOWN nowhere noproc\n");
  });

  it("ends with Ctrl-C", async () => {
    const name = await bucket("interrupted");
    const proxy = await startProxy(() => server.http);
    const monitor = startKv({ url: proxy.url }, "monitor", name);
    await proxy.answered(`/v1/buckets/${name}/monitor`, 1);
    monitor.interrupt();
    expect(await monitor.ended).toMatchObject({ code: 130, out: "", err: "" });
    proxy.close();
  });
});

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

    await bucket("imported");
    expect((await ok("import", "imported", file)).out).toBe(
      "imported: 3 lines, 3 imported, 0 unchanged, 0 expired, 0 failed\n",
    );
    const again = await kv({ ...here, input: lines }, "import", "imported", "--json");
    expect(again.json()).toMatchObject([{ bucket: "imported", lines: 3, imported: 0, unchanged: 3 }]);
    expect((await ok("export", "imported")).out).toBe(lines);
    expect((await ok("export", "imported", "--prefix", "by")).out).toMatch(/^\{"key":"bytes".*\n$/);
  });

  it("stop at a line that is wrong, or go on behind it", async () => {
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

  it("do not bring a bucket into one that was created otherwise", async () => {
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

  it("want a folder that is an export", async () => {
    const { code, err } = await kv(here, "import", "--all", folder.path);
    expect([code, err]).toEqual([2, expect.stringContaining("buckets.json")]);
  });
});

describe("kv repl", () => {
  it("answers what is piped in, in its order, then ends", async () => {
    const input =
      "CREATE piped\nPUT piped milk 1\nSUBSCRIBE piped\nPUT piped milk 2\nGET piped milk\nNONSENSE\n";
    expect(await kv({ ...here, input }, "repl")).toMatchObject({
      code: 0,
      out: "OK\nOK\nOK\nmilk SET TO 2\n2\nOK\nUNKNOWN COMMAND\n",
      err: "",
    });
  });

  it("answers each line as it comes, and ends with QUIT", async () => {
    const repl = startKv(here, "repl");
    repl.write("PING\n");
    await repl.until(/^PONG\n/);
    repl.write("QUIT\nPING\n");
    expect(await repl.ended).toMatchObject({ code: 0, out: "PONG\nOK\n" });
  });

  it("takes values that are no text, and a last line without its end", async () => {
    await bucket("raw");
    const input = Buffer.concat([
      Buffer.from("PUT raw k "),
      Buffer.from([0xff, 0xfe]),
      Buffer.from("\nGET raw k"),
    ]);
    expect((await kv({ ...here, input }, "repl")).out).toBe('OK\nbase64:"//4="\nOK\n');
  });

  it("keeps the order of more lines than can be ahead of their replies", async () => {
    await bucket("order");
    const input = Array.from({ length: 500 }, () => "INCR order n\n").join("");
    const sums = Array.from({ length: 500 }, (_, n) => `${n + 1}\nOK\n`).join("");
    expect((await kv({ ...here, input }, "repl")).out).toBe(sums);
  });

  it("says so when the connection breaks", async () => {
    const doomed = await startServer();
    const repl = startKv({ url: doomed.http }, "repl");
    repl.write("PING\n");
    await repl.until(/PONG/);
    await doomed.killAll();
    expect(await repl.ended).toMatchObject({ code: 1, out: "PONG\n", err: "kv: The connection broke.\n" });
  });
});

describe("the token", () => {
  const withToken = (): CliOptions => ({ url: locked.http, environment: { KV_TOKEN: SECRET } });

  it("is in KV_TOKEN or --token", async () => {
    expect((await kv(withToken(), "create", "b")).code).toBe(0);
    expect((await kv({ url: locked.http }, "buckets", "--token", SECRET)).out).toBe("b\n");
  });

  it("that can't be one is refused in one line", async () => {
    const { code, err } = await kv({ url: locked.http, environment: { KV_TOKEN: "blank " } }, "buckets");
    expect([code, err]).toEqual([2, expect.stringMatching(/^error: A token [^\n]+\n$/)]);
  });

  it("is shown to WebSockets too", async () => {
    expect(await kv({ ...withToken(), input: "BUCKETS\n" }, "repl")).toMatchObject({
      code: 0,
      out: "b\nOK\n",
    });
  });

  it.each(["buckets", "repl"])("kv %s without it is refused", async (verb) => {
    const { code, err } = await kv({ url: locked.http }, verb);
    expect([code, err]).toEqual([3, expect.stringContaining("(unauthorized)")]);
  });
});

describe("the environment", () => {
  it("says nothing with a variable that is set to nothing", async () => {
    const { out } = await kv({ url: "", environment: { KV_TOKEN: "" } }, "create", "--help");
    expect(out).toContain("--url");
    const [unset, empty] = await Promise.all([
      start(["bash", "-c", `unset KV_URL; ${KV.join(" ")} get b k`], {}).ended,
      kv({ url: "", environment: { KV_TOKEN: "" } }, "get", "b", "k"),
    ]);
    expect(empty).toMatchObject({ code: unset.code, out: unset.out, err: unset.err });
  });
});

describe("what is said of a failure", () => {
  it.each([["put", "k", "1"], ["get", "k"], ["delete", "k"], ["incr", "k"], ["keys"], ["import"]])(
    "kv %s into no bucket tells which command makes one",
    async (verb, ...rest) => {
      const { code, err } = await kv(here, verb, "nowhere", ...rest);
      expect([code, err]).toEqual([
        1,
        "kv: There is no bucket nowhere. Create it: kv create nowhere (bucket_not_found)\n",
      ]);
    },
  );
});

describe("--timeout", () => {
  /** A service that takes what it is sent, and says no more than this. */
  async function silent(answer: string): Promise<{ readonly url: string; readonly close: () => void }> {
    const listening = createServer((request, response) => {
      if (request.url === "/v1/buckets/b") response.end('{"name":"b"}');
      else if (answer === "") request.resume();
      else response.writeHead(200, { "Content-Type": "application/x-ndjson" }).write(answer);
    }).listen(0, "127.0.0.1");
    await once(listening, "listening");
    return {
      url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`,
      close: () => {
        listening.closeAllConnections();
        listening.close();
      },
    };
  }

  it.each([
    ["import", ""],
    ["export", '{"key":"a","value":"1"}\n'],
  ])("ends an %s with which nothing happens for so long", async (verb, answer) => {
    const { url, close } = await silent(answer);
    const running = startKvProcess({ url }, verb, "b", "--timeout", "1");
    running.end('{"key":"a"}\n');
    const { code, out, err } = await running.ended;
    expect([code, out, err]).toEqual([4, answer, expect.stringMatching(/^kv: No progress .*\(timeout\)\n$/)]);
    close();
  });
});

describe("a command line that makes no sense", () => {
  it.each([
    ["", []],
    ["an unknown command", ["frobnicate"]],
    ["an unknown option", ["keys", "b", "--frobnicate"]],
    ["too few arguments", ["get", "b"]],
    ["too many", ["get", "b", "k", "x"]],
    ["a number that is none", ["put", "b", "k", "v", "--ttl", "soon"]],
    ["a time that is none", ["put", "b", "k", "v", "--expires", "soon"]],
    ["two lifetimes", ["put", "b", "k", "v", "--ttl", "1", "--expires", "2100-01-01"]],
    ["metadata that is not JSON", ["put", "b", "k", "v", "--metadata", "{"]],
    ["a snapshot, and a change that is later", ["watch", "b", "--snapshot", "--since", "1"]],
    ["an etag that is none", ["put", "b", "k", "v", "--if-match", "x"]],
    ["an address that is none", ["buckets", "--url", "localhost:8787"]],
    ["a bucket and the whole service", ["export", "b", "--all", "x"]],
    ["a file that is not there", ["import", "b", "nowhere.ndjson"]],
    ["a shell that is none", ["completion", "tcsh"]],
  ])("%s: exit code 2, and nothing on stdout", async (_, args) => {
    const { code, out, err } = await kv(here, ...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/error: |Usage: kv/);
  });
});

describe("a service that is not there", () => {
  it.each([["buckets"], ["get", "b", "k"], ["watch", "b"], ["monitor", "b"], ["repl"]])(
    "kv %s: exit code 4",
    async (...args) => {
      const { code, out, err } = await kv({ url: NOWHERE }, ...args);
      expect([code, out, err]).toEqual([4, "", expect.stringContaining("ECONNREFUSED")]);
      expect(err).toMatch(/^kv: The service did not respond\./);
    },
  );
});

describe("kv --help", () => {
  it("names all commands and exit codes", async () => {
    const { out } = await ok("--help");
    expect(out).toContain("Exit codes:");
    for (const verb of VERBS) expect(out).toMatch(new RegExp(`^  ${verb} `, "m"));
    expect(out).not.toContain("__complete");
  });

  const VERBS =
    "create put get delete incr keys buckets lookup stop exit watch monitor export import repl completion".split(
      " ",
    );
  it.each(VERBS)("kv %s --help has examples, and the options that all share", async (verb) => {
    const { out } = await ok(verb, "--help");
    expect(out).toMatch(new RegExp(`^Examples:\\n[^]*^  \\$ .*\\bkv ${verb}\\b`, "m"));
    expect(out).toContain("--url <url>");
  });

  it("knows its version", async () => {
    const { version } = JSON.parse(await readFile("package.json", "utf8")) as { readonly version: string };
    expect((await ok("--version")).out).toBe(`${version}\n`);
  });

  it("says the same when it is run by npm, from its sources", async () => {
    const { code, out } = await started(["npm", "run", "--silent", "kv", "--", "--help"]);
    expect([code, out]).toEqual([0, (await ok("--help")).out]);
  });
});

describe("an export that breaks off", () => {
  const isPart = (name: string): boolean => name.endsWith(".part");

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("by %s leaves nothing half written behind", async (signal, exitCode) => {
    const slow = createServer(({ url }, response) => {
      if (url === "/v1/buckets/b") response.end('{"name":"b"}');
      else
        response
          .writeHead(200, { "Content-Type": "application/x-ndjson" })
          .write('{"key":"a","value":"1"}\n');
    }).listen(0, "127.0.0.1");
    await once(slow, "listening");
    const url = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`;
    // At once, however long it would wait for what comes next.
    const patient = ["export", "b", join(folder.path, "interrupted.ndjson"), "--timeout", "3600"];
    const running = startKvProcess({ url }, ...patient);
    await vi.waitUntil(async () => (await readdir(folder.path)).some(isPart), 30_000);
    running.interrupt(signal);
    expect((await running.ended).code).toBe(exitCode);
    expect(
      (await readdir(folder.path)).filter((name) => isPart(name) || name.startsWith("interrupted")),
    ).toEqual([]);
    slow.closeAllConnections();
    slow.close();
  });

  it("leaves the file as it was", async () => {
    const file = join(folder.path, "kept.ndjson");
    await writeFile(file, "before");
    const half = createServer(({ url }, response) => {
      if (url === "/v1/buckets/b") response.end('{"name":"b"}');
      else
        response
          .writeHead(200, { "Content-Type": "application/x-ndjson" })
          .write('{"key":"a","value":"1"}\n', () => response.destroy());
    }).listen(0, "127.0.0.1");
    await once(half, "listening");
    const url = `http://127.0.0.1:${(half.address() as AddressInfo).port}`;
    expect(await startKvProcess({ url }, "export", "b", file).ended).toMatchObject({
      code: 4,
      err: expect.stringMatching(
        /^kv: The connection broke before all data had arrived. \(connection_lost\)\n/,
      ) as string,
    });
    expect(await readFile(file, "utf8")).toBe("before");
    expect((await readdir(folder.path)).filter(isPart)).toEqual([]);
    half.close();
  });
});

describe("kv completion", () => {
  const proposed = async (...words: readonly string[]): Promise<string> =>
    (await ok("__complete", "--", ...words)).out;

  it("knows commands, flags, choices, bucket names and keys", async () => {
    await bucket("basket", { milk: 1, mint: 2, eggs: 3 });
    expect(await proposed("mo")).toBe("monitor\n");
    expect(await proposed("put", "--exp")).toBe("--expires\n");
    expect(await proposed("keys", "b", "--js")).toBe("--json\n");
    expect(await proposed("create", "--restart", "")).toBe("permanent\ntemporary\n");
    expect(await proposed("completion", "")).toBe("bash\nzsh\nfish\n");
    expect(await proposed("get", "bask")).toBe("basket\n");
    expect(await proposed("get", "--timeout", "5", "basket", "mi")).toBe("milk\nmint\n");
    expect(await proposed("get", "basket", "milk", "")).toBe("");
  });

  it("proposes names that look like options only behind --", async () => {
    await bucket("dashes-2", { "-x": 1, plain: 2 });
    expect(await proposed("get", "dashes-2", "")).toBe("plain\n");
    expect(await proposed("get", "dashes-2", "-")).not.toContain("-x\n");
    expect(await proposed("get", "dashes-2", "--", "")).toBe("-x\nplain\n");
    expect(await proposed("get", "--", "dashes-2", "-")).toBe("-x\n");
  });

  it("proposes nothing, and says nothing, where the service is not there", async () => {
    expect(await proposed("get", "--url", "http://127.0.0.1:9", "")).toBe("");
  });

  /** What bash proposes behind a line. */
  const inBash = async (line: string): Promise<string> => {
    const script = `kv() { ${KV.join(" ")} "$@"; }
      source <(kv completion bash)
      COMP_LINE=$1 COMP_POINT=\${#1} _kv_complete
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { out, err } = await started(["bash", "-c", script, "bash", line]);
    expect(err).toBe("");
    return out;
  };

  it("works in bash", async () => {
    await bucket("bash", { "two words": 1, "user:1": 1, "user:2": 1 });
    expect(await inBash("kv exp")).toBe("export\n");
    expect(await inBash("kv get bash tw")).toBe("two\\ words\n");
    // bash takes a colon for the end of a word.
    expect(await inBash("kv get bash user:")).toBe("1\n2\n");
    expect(await inBash("kv get bash ")).toBe("two\\ words\nuser:1\nuser:2\n");
  });

  it.each(["bash", "zsh", "fish"])("has a script for %s that asks the command", async (shell) => {
    const { out } = await ok("completion", shell);
    expect(out).toContain(" __complete -- ");
    expect(out).not.toContain("\\$");
  });
});
