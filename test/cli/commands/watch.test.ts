/** `kv watch`. */

import { describe, expect, it } from "vitest";
import { startKv } from "../../e2e/support/cli.ts";
import { bucket, here, ok } from "../../e2e/support/kv-command.ts";

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
