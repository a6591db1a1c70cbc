/** `kv monitor`. */

import { describe, expect, it } from "vitest";
import { startKv } from "../../e2e/support/cli.ts";
import { bucket, ok, service } from "../../e2e/support/kv-command.ts";
import { startProxy } from "../../e2e/support/proxy.ts";
import { server } from "../../e2e/support/shared-server.ts";

describe("kv monitor", () => {
  it("prints restarts, and ends with the bucket", async () => {
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

  it("of an unknown bucket prints DOWN at once", async () => {
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
