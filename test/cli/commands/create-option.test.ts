/** The option `--create` of the commands that write. */

import { describe, expect, it } from "vitest";
import { kv } from "../../e2e/support/cli.ts";
import { here, ok } from "../../e2e/support/kv-command.ts";

describe("--create", () => {
  it.each([
    ["put", (name: string) => ok("put", name, "a", "1", "--create")],
    ["incr", (name: string) => ok("incr", name, "a", "--create")],
    [
      "import",
      (name: string) => kv({ ...here, input: '{"key":"a","value":"1"}\n' }, "import", name, "--create"),
    ],
  ])("of kv %s creates a bucket that does not exist, and only that", async (command, write) => {
    const name = `cli-create-${command}`;
    expect((await write(name)).code).toBe(0);
    expect((await ok("get", name, "a")).out).toBe("1");
    expect((await write(name)).code).toBe(0);
  });

  it("is not the default", async () => {
    const { code, err } = await kv(here, "put", "cli-create-none", "a", "1");
    expect([code, err]).toEqual([1, expect.stringContaining("kv create cli-create-none")]);
  });

  it("is refused where it can't be heeded: a folder's buckets are created anyway", async () => {
    const { code, err } = await kv(here, "import", "--all", "somewhere", "--create");
    expect([code, err]).toEqual([2, expect.stringContaining("--create")]);
  });
});
