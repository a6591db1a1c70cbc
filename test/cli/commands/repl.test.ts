/** `kv repl` with a pipe for stdin. */

import { describe, expect, it } from "vitest";
import { kv, startKv } from "../../e2e/support/cli.ts";
import { bucket, here } from "../../e2e/support/kv-command.ts";
import { startServer } from "../../e2e/support/server.ts";

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

  it("accepts binary values, and a last line without a line break", async () => {
    await bucket("raw");
    const input = Buffer.concat([
      Buffer.from("PUT raw k "),
      Buffer.from([0xff, 0xfe]),
      Buffer.from("\nGET raw k"),
    ]);
    expect((await kv({ ...here, input }, "repl")).out).toBe('OK\nbase64:"//4="\nOK\n');
  });

  it("keeps the order of more lines than may wait for replies", async () => {
    await bucket("order");
    const input = Array.from({ length: 500 }, () => "INCR order n\n").join("");
    const sums = Array.from({ length: 500 }, (_, n) => `${n + 1}\nOK\n`).join("");
    expect((await kv({ ...here, input }, "repl")).out).toBe(sums);
  });

  it("reports a broken connection", async () => {
    const doomed = await startServer();
    const repl = startKv({ url: doomed.http }, "repl");
    repl.write("PING\n");
    await repl.until(/PONG/);
    await doomed.killAll();
    expect(await repl.ended).toMatchObject({ code: 1, out: "PONG\n", err: "kv: The connection broke.\n" });
  });
});
