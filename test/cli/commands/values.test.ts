/** `kv put`, `kv get` and `kv delete`. */

import { afterAll, describe, expect, it } from "vitest";
import { KV, kv } from "../../e2e/support/cli.ts";
import { bucket, here, ok, service, started } from "../../e2e/support/kv-command.ts";
import { temporaryFolder } from "../../e2e/support/server.ts";
import { server } from "../../e2e/support/shared-server.ts";

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => byte);

const IN_A_DAY = new Date(Date.now() + 86_400_000);

const folder = temporaryFolder();

afterAll(() => folder.remove());

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

  it("get and delete in one step", async () => {
    const name = await bucket("taken");
    const large = Buffer.alloc(3_000_000, EVERY_BYTE);
    await ok("put", name, "a", "1", "--metadata", "[1]");
    await kv({ ...here, input: large }, "put", name, "b");
    expect((await ok("get", name, "a", "--delete", "--json")).json()).toMatchObject([
      { key: "a", value: "1", metadata: [1] },
    ]);
    expect(Buffer.compare((await ok("get", name, "b", "--delete")).bytes, large)).toBe(0);
    const again = await kv(here, "get", name, "a", "--delete");
    expect([again.code, again.out, again.err]).toEqual([1, "", expect.stringContaining("no key a")]);
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

  it("print nothing to stdout for a key that does not exist", async () => {
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

  it("accept a value that looks like an option after --", async () => {
    const name = await bucket("dashes");
    await ok("put", name, "k", "--", "--json");
    expect((await ok("get", name, "k")).out).toBe("--json");
  });

  it("keep metadata exactly as it was given, or refuse it", async () => {
    const name = await bucket("metadata");
    await ok("put", name, "a", "1", "--metadata", "null");
    expect((await service.bucket(name).entry("a"))?.metadata ?? null).toBeNull();
    expect(
      (await kv({ url: server.http }, "put", name, "a", "1", "--metadata", '{"a":12345678901234567890}'))
        .code,
    ).toBe(2);
  });

  it("keep fractions in metadata, however long they were written", async () => {
    const name = await bucket("fractions");
    await ok("put", name, "a", "1", "--metadata", '{"pi":3.14159265358979323}');
    expect((await service.bucket(name).entry("a"))?.metadata).toEqual({ pi: Math.PI });
  });

  it("stop reading stdin at the size limit of a value", async () => {
    const name = await bucket("endless");
    const command = `head -c 200M /dev/zero | ${KV.join(" ")} put ${name} a`;
    expect(await started(["bash", "-c", command])).toMatchObject({
      code: 3,
      err: "kv: A value has at most 26214400 bytes. Nothing was sent.\n",
    });
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
