/** What a partition does when it wakes. */

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { create, isolate } from "../support/directories.ts";
import { abortObject, registryOf, rowOf } from "../support/faults.ts";

const { directory } = isolate();

describe("a partition that wakes", () => {
  it("sets the timers that follow from its table and its settings", async () => {
    await create(directory, "timers-lost");
    await runInDurableObject(registryOf("timers-lost"), async (_, { storage }) => {
      storage.kv.delete("otp:timer/check");
      storage.kv.delete("otp:timer/sweep");
      storage.sql.exec("UPDATE names SET state = 'stopping', check_at = 1 WHERE name = 'timers-lost'");
      await storage.deleteAlarm();
    });
    await abortObject(registryOf("timers-lost"));
    const timers = await runInDurableObject(registryOf("timers-lost"), (_, { storage }) =>
      [...storage.kv.list({ prefix: "otp:timer/" })].map(([key]) => key),
    );
    expect(timers).toEqual(["otp:timer/check", "otp:timer/sweep"]);
    await runDurableObjectAlarm(registryOf("timers-lost"));
    expect(await rowOf("timers-lost")).toBeUndefined();
  });
});
