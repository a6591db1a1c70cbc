/** The Elixir guide's tests of its buckets and its registry: KV.BucketTest and KV.RegistryTest. */

import { describe, expect, it } from "vitest";
import { call } from "../../src/otp/call.ts";
import { startBucket } from "../support/buckets.ts";
import { ask, exitBucket, isolate } from "../support/directories.ts";
import { kindsOf } from "../support/faults.ts";
import { shopping } from "../support/shopping.ts";

const { directory } = isolate();

describe("KV.BucketTest", () => {
  it("stores values by key", async () => {
    const bucket = await startBucket("stores values by key");
    expect(await call(() => bucket.get("milk", {}))).toEqual({ outcome: "absent" });
    await call(() => bucket.put("milk", "3"));
    expect(await call(() => bucket.get("milk", {}))).toMatchObject({
      outcome: "found",
      entry: { value: "3" },
    });
  });

  it("deletes a key", async () => {
    const bucket = await startBucket("deletes a key");
    await call(() => bucket.put("milk", "3"));
    expect(await call(() => bucket.remove("milk", {}))).toBe(true);
    expect(await call(() => bucket.get("milk", {}))).toEqual({ outcome: "absent" });
    expect(await call(() => bucket.remove("milk", {}))).toBe(false);
  });
});

describe("KV.RegistryTest", () => {
  it("spawns buckets", async () => {
    expect(await directory.lookup("shopping-spawn")).toBeUndefined();
    await directory.create("shopping-spawn");
    expect(await directory.lookup("shopping-spawn")).toMatchObject({
      name: "shopping-spawn",
      state: "running",
    });
    await ask(directory, "shopping-spawn", (bucket) => bucket.put("milk", "1"));
    expect(await ask(directory, "shopping-spawn", (bucket) => bucket.get("milk", {}))).toMatchObject({
      entry: { value: "1" },
    });
  });

  it("removes bucket on exit", async () => {
    await directory.create("shopping-exit");
    expect(await directory.stop("shopping-exit")).toBe(true);
    expect(await directory.lookup("shopping-exit")).toBeUndefined();
  });

  it("creates and looks up buckets by any name", async () => {
    // A name that is an object's own property, one as long as may be, one with every sign that may be in it.
    for (const name of [
      "__proto__",
      "constructor",
      "n".repeat(256),
      "!#$%&'()*+,-.:;<=>?@[\\]^_`{|}~",
      "0",
    ]) {
      const { registration } = await directory.create(name);
      expect(await directory.lookup(name)).toEqual(registration);
    }
  });
});

// The guide needs a barrier call between an exit and the lookup, so that the registry has handled the DOWN. Here none is
// needed: an end is acknowledged when the registry knows it.
describe("KV.RegistryTest, without barrier calls", () => {
  it("removes bucket on exit", async () => {
    const caller = await shopping("exit", "temporary");
    await caller.directory.stop("exit");
    expect(await isolate().directory.lookup("exit")).toBeUndefined();
    expect(await kindsOf("exit")).toEqual(["created", "DOWN normal"]);
  });

  it("removes bucket on crash", async () => {
    const caller = await shopping("crash", "temporary");
    // The guide stops its bucket with a reason that is not normal.
    await exitBucket(caller.directory, "crash", "shutdown");
    expect(await isolate().directory.lookup("crash")).toBeUndefined();
    expect(await kindsOf("crash")).toEqual(["created", "DOWN shutdown"]);
  });
});
