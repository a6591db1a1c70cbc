/** `kv exit`. */

import { describe, expect, it } from "vitest";
import { kv } from "../../e2e/support/cli.ts";
import { bucket, here, ok, service } from "../../e2e/support/kv-command.ts";

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

  it("shows a reason on one line, even if it has line breaks", async () => {
    const name = await bucket("reasons");
    await ok("exit", name, "a\nbytes\t999");
    expect((await ok("lookup", name)).out).toContain('\nlastReason\t"a\\nbytes\\t999"\n');
  });
});
