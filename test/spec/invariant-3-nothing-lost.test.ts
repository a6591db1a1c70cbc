/**
 * Invariant 3, nothing lost. An acknowledged write is on disk. A permanent bucket keeps its data over a crash, an
 * eviction, kill -9 and a deployment.
 */

import { describe, expect, it } from "vitest";
import { call } from "../../src/otp/call.ts";
import { exitBucket } from "../support/directories.ts";
import { bucketOf, kindsOf, rowOf } from "../support/faults.ts";
import { getMilk, shopping } from "../support/shopping.ts";

describe("invariant 3: nothing lost", () => {
  it.each(["kill", "shutdown"])("a permanent bucket comes back from %s with its data", async (signal) => {
    const name = `back-from-${signal}`;
    const caller = await shopping(name, "permanent");
    const before = await rowOf(name);
    expect(await exitBucket(caller.directory, name, signal)).toBe(true);
    expect(await getMilk(caller, name)).toMatchObject({ entry: { value: "1" } });
    expect(await rowOf(name)).toMatchObject({
      incarnation: before?.incarnation,
      state: "running",
      restarts: 1,
      reason: signal === "kill" ? "killed" : signal,
    });
    expect(await kindsOf(name)).toEqual(["created", `RESTARTED ${signal === "kill" ? "killed" : signal}`]);
  });

  it("a permanent bucket comes back from a crash of its own code", async () => {
    const caller = await shopping("back-from-crash", "permanent");
    await call(() => bucketOf(caller.id).crash("out of cheese")).catch(() => undefined);
    expect(await getMilk(caller, "back-from-crash")).toMatchObject({ entry: { value: "1" } });
    expect(await kindsOf("back-from-crash")).toEqual(["created", "RESTARTED crash: out of cheese"]);
  });

  it("a permanent bucket that is stopped is gone for good", async () => {
    const caller = await shopping("stopped", "permanent");
    await caller.directory.stop("stopped");
    expect(await kindsOf("stopped")).toEqual(["created", "DOWN normal"]);
    await caller.directory.create("stopped");
    expect(await getMilk(caller, "stopped")).toEqual({ outcome: "absent" });
  });
});
