/** Deadlines and abort signals of the client's calls. */

import { describe, expect, it, vi } from "vitest";
import type { KvError } from "../../src/client/index.ts";
import { Kv, TimeoutError } from "../../src/client/index.ts";
import { scripted } from "../e2e/support/scripted-fetch.ts";
import { server } from "../e2e/support/shared-server.ts";

const kv = new Kv({ url: server.http });

describe("giving up", () => {
  it("does not happen early if the deadline is far away", async () => {
    expect(await kv.lookup("client-nowhere", { timeoutMs: Infinity })).toBeUndefined();
    expect(await kv.lookup("client-nowhere", { timeoutMs: 3_000_000_000 })).toBeUndefined();
  });

  it("happens at the deadline, and says that the outcome is unknown", async () => {
    const { kv: slow } = scripted("hang");
    const error: unknown = await slow
      .bucket("b")
      .put("a", 1, { timeoutMs: 20 })
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TimeoutError);
    expect((error as KvError).outcomeUnknown).toBe(true);
  });

  it("happens even if a custom fetch ignores the signal", async () => {
    const deaf = new Kv({ url: "http://kv.test", fetch: () => new Promise(() => undefined) });
    await expect(deaf.bucket("b").get("a", { timeoutMs: 1 })).rejects.toBeInstanceOf(TimeoutError);
    const reason = new Error("never mind");
    const abort = new AbortController();
    const asking = deaf.bucket("b").get("a", { signal: abort.signal });
    abort.abort(reason);
    await expect(asking).rejects.toBe(reason);
  });

  it("happens to many calls at once, on one listener of their signal", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const listen = vi.spyOn(signal, "addEventListener");
    const { kv: slow } = scripted(...Array.from({ length: 20 }, () => "hang" as const));
    const asked = Array.from({ length: 20 }, () => slow.bucket("b").get("a", { signal }));
    controller.abort(new Error("never mind"));
    for (const one of asked) await expect(one).rejects.toThrow("never mind");
    expect(listen).toHaveBeenCalledTimes(1);
  });

  it("happens when the caller aborts, with the caller's reason", async () => {
    const { kv: slow } = scripted("hang");
    const controller = new AbortController();
    const asked = slow.bucket("b").get("a", { signal: controller.signal });
    const reason = new Error("never mind");
    controller.abort(reason);
    await expect(asked).rejects.toBe(reason);
    await expect(slow.bucket("b").get("a", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
