/** How a partition looks at its buckets: the sweep, and suspicions of callers. */

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { ask, create, exitBucket, isolate } from "../support/directories.ts";
import { bucketOf, kindsOf, registryOf, rowOf, wipeBehind } from "../support/faults.ts";
import { doubt, HOUR_MS, sweep } from "../support/looking.ts";
import { clock, deaf } from "../support/objects.ts";

const { directory } = isolate();

// Failed probes are logged, and are what is tested here.
beforeAll(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));
afterEach(() => deaf.clear());

/** When the name's own row was last written by a probe. */
const written = (name: string): Promise<unknown[]> =>
  runInDurableObject(registryOf(name), (_, { storage }) =>
    storage.sql.exec("SELECT probed_at FROM names WHERE name = ?", name).toArray(),
  );

describe("a clock that is put back by an hour", () => {
  /** Puts it back until the test is over: what was set meanwhile is then long overdue. */
  function putBack(): void {
    clock.aheadMs -= HOUR_MS;
    onTestFinished(() => void (clock.aheadMs += 2 * HOUR_MS));
  }

  it("does not stop the sweep", async () => {
    await create(directory, "back-swept");
    await sweep();
    await ask(directory, "back-swept", (bucket) => bucket.put("milk", "1"));
    putBack();
    // Any call to the partition finds out.
    await directory.lookup("back-swept");
    await runDurableObjectAlarm(registryOf("back-swept"));
    const probe = (await directory.lookup("back-swept"))?.probe;
    expect(probe).toMatchObject({ entries: 1, revision: 1 });
    expect(probe?.at).toBeLessThanOrEqual(Date.now() + clock.aheadMs);
  });

  it("does not keep a suspect from being probed again", async () => {
    const id = await create(directory, "back-suspect");
    deaf.add(id);
    await doubt("back-suspect");
    expect(await rowOf("back-suspect")).toMatchObject({ state: "suspect" });
    deaf.clear();
    putBack();
    await directory.lookup("back-suspect");
    await runDurableObjectAlarm(registryOf("back-suspect"));
    expect(await rowOf("back-suspect")).toMatchObject({ state: "running" });
  });

  it("does not keep an unreachable bucket from being tried again, nor count its earlier restarts", async () => {
    await create(directory, "back-given-up");
    clock.stoppedAt = Date.now();
    onTestFinished(() => void (clock.stoppedAt = undefined));
    for (let count = 0; count < 4; count += 1) await exitBucket(directory, "back-given-up", "boom");
    expect(await rowOf("back-given-up")).toMatchObject({ state: "unreachable" });
    putBack();
    await directory.lookup("back-given-up");
    await runDurableObjectAlarm(registryOf("back-given-up"));
    expect(await rowOf("back-given-up")).toMatchObject({ state: "running", restarts: 4 });
    await exitBucket(directory, "back-given-up", "boom");
    expect(await rowOf("back-given-up")).toMatchObject({ state: "running", restarts: 5 });
  });
});

describe("the sweep", () => {
  it("records entries, bytes and revision, with the time", async () => {
    await create(directory, "swept");
    await ask(directory, "swept", (bucket) => bucket.put("milk", "12345"));
    expect(await directory.lookup("swept")).toMatchObject({ probe: null });
    const before = Date.now() + clock.aheadMs;
    await sweep();
    const after = Date.now() + clock.aheadMs;
    const found = await directory.lookup("swept");
    expect(found?.probe).toMatchObject({ entries: 1, bytes: 9, revision: 1 });
    expect(found?.probe?.at).toBeGreaterThanOrEqual(before);
    expect(found?.probe?.at).toBeLessThanOrEqual(after);
    expect(await directory.list({ prefix: "swept", after: "", limit: 1 })).toEqual([found]);
  });

  it("writes no row for an unchanged bucket, whose totals are as recent as the sweep", async () => {
    await create(directory, "idle");
    await sweep();
    const first = (await directory.lookup("idle"))?.probe;
    const [row] = await written("idle");
    await sweep();
    const second = (await directory.lookup("idle"))?.probe;
    expect(Number(second?.at) - Number(first?.at)).toBeGreaterThanOrEqual(HOUR_MS);
    expect(await written("idle")).toEqual([row]);
    await ask(directory, "idle", (bucket) => bucket.put("milk", "1"));
    await sweep();
    expect(await written("idle")).not.toEqual([row]);
  });

  it("frees a name whose bucket was wiped without a notice: DOWN noproc", async () => {
    const id = await create(directory, "wiped-behind");
    await wipeBehind(id);
    expect(await directory.lookup("wiped-behind")).toBeDefined();
    await sweep();
    expect(await directory.lookup("wiped-behind")).toBeUndefined();
    expect(await kindsOf("wiped-behind")).toEqual(["created", "DOWN noproc"]);
  });

  it("continues after its last batch, round and round", async () => {
    const names = Array.from({ length: 5 }, (_, at) => `round-${at}`);
    for (const name of names) await create(directory, name);
    await sweep();
    await sweep();
    for (const name of names) expect((await directory.lookup(name))?.probe).not.toBeNull();
  });
});

describe("suspicion", () => {
  it("a caller that got noproc is answered once the name is free", async () => {
    const id = await create(directory, "suspected");
    const caller = isolate();
    await ask(caller.directory, "suspected", (bucket) => bucket.totals());
    await wipeBehind(id);
    expect(await ask(caller.directory, "suspected", (bucket) => bucket.totals())).toBeUndefined();
    expect(await kindsOf("suspected")).toEqual(["created", "DOWN noproc"]);
    expect(await caller.directory.create("suspected")).toMatchObject({ created: true });
  });
});

describe("list", () => {
  it("shows the result of the last probe, and wakes no bucket", async () => {
    const id = await create(directory, "listed");
    await sweep();
    await evictDurableObject(bucketOf(id));
    expect(await directory.list({ prefix: "listed", after: "", limit: 1 })).toMatchObject([
      { probe: { entries: 0 } },
    ]);
    await expect(evictDurableObject(bucketOf(id))).rejects.toThrow();
  });
});
