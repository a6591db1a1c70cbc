/** Names and buckets of other versions of the code. */

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { call } from "../../src/otp/call.ts";
import { ask, connectBucket, exitBucket, isolate } from "../support/directories.ts";
import { everythingOf } from "../support/everything.ts";
import { abortObject, bucketOf, registryOf, rowOf, runAlarms } from "../support/faults.ts";

const { directory } = isolate();
const caller = { partition: 0, partitions: 1 };
const NEWER = { otp: 99, data: 99 };

// What fails is the subject here.
beforeAll(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));

/** Sets the versions of an object's data, as another deployment would have left them. @returns those from before */
async function deployed(id: DurableObjectId, versions: object): Promise<object> {
  const stub = id.name === undefined ? bucketOf(id.toString()) : env.REGISTRY.get(id);
  const before = await runInDurableObject(stub, async (_, { storage }) => {
    const kept = storage.kv.get<object>("otp:versions") ?? {};
    storage.kv.put("otp:versions", versions);
    await storage.sync();
    return kept;
  });
  await evictDurableObject(stub);
  return before;
}

const totals = (name: string): Promise<unknown> => ask(directory, name, (bucket) => bucket.totals());

describe("a partition from before restart kinds", () => {
  it("is brought up to date, and so are its buckets", async () => {
    const partition = env.REGISTRY.get(env.REGISTRY.newUniqueId());
    const bucket = env.BUCKET.newUniqueId();
    await runInDurableObject(env.BUCKET.get(bucket), async (_, { storage }) => {
      storage.kv.put("process", { name: "old", incarnation: "aaaa", createdAt: 1 });
      storage.sql.exec(
        "CREATE TABLE entries (key TEXT PRIMARY KEY, value NOT NULL, type TEXT, revision INTEGER NOT NULL) WITHOUT ROWID",
      );
      storage.sql.exec("CREATE TABLE totals (entries INTEGER, bytes INTEGER, revision INTEGER)");
      storage.sql.exec("INSERT INTO entries VALUES ('milk', '1', NULL, 7)");
      storage.sql.exec("INSERT INTO totals VALUES (1, 5, 7)");
      await storage.sync();
    });
    await runInDurableObject(partition, async (_, { storage }) => {
      storage.kv.put("process", caller);
      storage.sql.exec(
        "CREATE TABLE names (name TEXT PRIMARY KEY, incarnation TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL, created_at INTEGER NOT NULL, metadata TEXT) WITHOUT ROWID",
      );
      storage.sql.exec("CREATE INDEX unsettled ON names (name) WHERE state <> 'running'");
      storage.sql.exec("INSERT INTO names VALUES ('old', 'aaaa', ?, 'running', 1, NULL)", bucket.toString());
      storage.sql.exec(
        "INSERT INTO names VALUES ('cut', 'bbbb', ?, 'starting', 1, NULL)",
        env.BUCKET.newUniqueId().toString(),
      );
      await storage.sync();
    });
    await abortObject(partition);
    await abortObject(bucketOf(bucket.toString()));
    const again = env.REGISTRY.get(partition.id);
    expect(await call(() => again.lookup(caller, "old"))).toMatchObject({
      restart: "permanent",
      state: "running",
    });
    // What that version did not keep may have been anything: nothing is said against it.
    expect(await call(() => again.create(caller, "old", { locationHint: "weur" }))).toMatchObject({
      created: false,
    });
    await runDurableObjectAlarm(again);
    // Its create was never answered: it is undone.
    expect(await call(() => again.lookup(caller, "cut"))).toBeNull();
    expect((await call(() => again.stats(caller))).states).toMatchObject({ starting: 0, stopping: 0 });
    const old = bucketOf(bucket.toString());
    expect(await call(() => old.totals())).toEqual({
      incarnation: "aaaa",
      entries: 1,
      bytes: 5,
      revision: 7,
    });
    expect(await call(() => old.put("milk", "2"))).toMatchObject({ created: false, revision: 8 });
    expect(await call(() => again.stopBucket(caller, "old"))).toBe(true);
  });
});

describe("a bucket of a newer version", () => {
  it("refuses every call, and keeps its name and its data", async () => {
    const { registration } = await directory.create("ahead");
    const id = env.BUCKET.idFromString(registration.id);
    await ask(directory, "ahead", (bucket) => bucket.put("milk", "1"));
    const versions = await deployed(id, NEWER);
    const before = await runInDurableObject(bucketOf(registration.id), (_, { storage }) =>
      everythingOf(storage),
    );
    for (const request of [
      () => totals("ahead"),
      () => ask(directory, "ahead", (bucket) => bucket.put("milk", "2")),
      () => connectBucket(directory, "ahead", "/session"),
      () => exitBucket(directory, "ahead", "kill"),
      () => directory.stop("ahead"),
    ]) {
      await expect(request()).rejects.toMatchObject({ code: "storage_newer" });
    }
    // A stop that was refused leaves the name as it was.
    expect(await directory.lookup("ahead")).toMatchObject({ state: "running", restarts: 0 });
    await runAlarms(["ahead"], [registration.id]);
    expect(await rowOf("ahead")).toMatchObject({
      state: "unreachable",
      reason: "storage_newer",
      restarts: 0,
      incarnation: registration.incarnation,
    });
    expect(await directory.create("ahead")).toMatchObject({ created: false });
    await expect(directory.stop("ahead")).rejects.toMatchObject({ code: "storage_newer" });
    expect(await directory.lookup("ahead")).toMatchObject({ state: "unreachable" });
    const { alarm: _, ...after } = await runInDurableObject(bucketOf(registration.id), (__, { storage }) =>
      everythingOf(storage),
    );
    expect(after).toEqual({ keys: before.keys, tables: before.tables });

    await deployed(id, versions);
    await runAlarms(["ahead"], [registration.id]);
    expect(await directory.lookup("ahead")).toMatchObject({ state: "running" });
    expect(await totals("ahead")).toMatchObject({ entries: 1, revision: 1 });
    expect(await directory.stop("ahead")).toBe(true);
  });
});

describe("a partition of a newer version", () => {
  it("refuses every call, and frees no name", async () => {
    const { registration } = await directory.create("held");
    const partition = registryOf("held");
    const versions = await deployed(partition.id, NEWER);
    const before = await runInDurableObject(partition, (_, { storage }) => everythingOf(storage));
    const again = registryOf("held");
    for (const request of [
      () => directory.lookup("held"),
      () => directory.create("held"),
      () => directory.stop("held"),
      () => directory.list({ prefix: "", after: "", limit: 10 }),
      () => directory.stats(),
      () => call(() => again.suspect(caller, "held", registration.incarnation)),
      () => call(() => again.partitionCount()),
      () => call(() => again.fixPartitionCount(1)),
    ]) {
      await expect(request()).rejects.toMatchObject({ code: "storage_newer" });
    }
    // Neither an orphan check nor a notice is answered: a bucket that asks lives on, and one that has ended asks again.
    expect(
      await again.report(
        { name: "held", incarnation: "none" },
        { entries: 0, bytes: 0, revision: 0, restarts: 0 },
      ),
    ).toMatchObject({
      refusal: { code: "storage_newer" },
    });
    expect(await again.notify({ kind: "down", ref: "held\naaaa", reason: "normal" })).toMatchObject({
      refusal: { code: "storage_newer" },
    });
    await runDurableObjectAlarm(again);
    const after = await runInDurableObject(again, (_, { storage }) => everythingOf(storage));
    expect({ ...after, alarm: 0 }).toEqual({ ...before, alarm: 0 });

    await deployed(partition.id, versions);
    expect(await totals("held")).toMatchObject({ entries: 0 });
    expect(await directory.stop("held")).toBe(true);
  });
});
