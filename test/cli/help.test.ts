/** `kv --help`. */

import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ok, started } from "../e2e/support/kv-command.ts";

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
