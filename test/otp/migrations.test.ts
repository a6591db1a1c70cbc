/** Data of other versions of the code: older data is brought up to date, newer data is left alone. */

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { call } from "../../src/otp/call.ts";
import type { Migrated, Migration } from "../../src/otp/migrations.ts";
import { counterMigrations, stopped, type Counter } from "../support/counter.ts";
import { everythingOf } from "../support/everything.ts";

const process = (name: string): DurableObjectStub<Counter> => env.COUNTER.getByName(name);

afterEach(() => {
  counterMigrations.now = { steps: [] };
  stopped.at = undefined;
});

const everything = (name: string): Promise<unknown> =>
  runInDurableObject(process(name), (_, { storage }) => everythingOf(storage));

/** What the storage has under the class's own key. */
const done = (name: string): Promise<unknown> =>
  runInDurableObject(process(name), (_, { storage }) => storage.kv.get("done"));

/** A step that adds its name to those that were done. */
const adds =
  (step: string): Migration =>
  ({ kv }) =>
    kv.put("done", [...(kv.get<string[]>("done") ?? []), step]);

async function started(name: string): Promise<void> {
  await call(() => process(name).start({ from: 0 }));
}

/** Writes what some other version of the code would have left, and has the object made anew. */
async function left(name: string, write: (storage: DurableObjectStorage) => void): Promise<void> {
  await runInDurableObject(process(name), (_, { storage }) => write(storage));
  await evictDurableObject(process(name));
}

/** The object is woken by code that has these steps. */
async function deployed(name: string, steps: readonly Migration[]): Promise<void> {
  counterMigrations.now = { steps };
  await evictDurableObject(process(name));
}

/** What an object keeps for a minute of a process that has ended. */
const markOf = (reason: string): unknown => ({
  keys: {
    "otp:ended": reason,
    "otp:versions": { otp: 2 },
    "otp:timer/otp:forget": expect.anything() as unknown,
  },
  tables: {},
  alarm: expect.any(Number) as number,
});

describe("migrations", () => {
  it("run each step once, in order, from where the data is", async () => {
    counterMigrations.now = { steps: [adds("one")] };
    await started("steps");
    await deployed("steps", [adds("one"), adds("two"), adds("three")]);
    expect(await done("steps")).toEqual(["two", "three"]);
    await deployed("steps", [adds("one"), adds("two"), adds("three"), adds("four")]);
    expect(await done("steps")).toEqual(["two", "three", "four"]);
    await evictDurableObject(process("steps"));
    expect(await done("steps")).toEqual(["two", "three", "four"]);
    expect(await call(() => process("steps").next())).toBe(1);
  });

  it("are done as a whole or not at all", async () => {
    await started("broken step");
    const before = await everything("broken step");
    const broken = (): never => {
      throw new Error("a step that fails");
    };
    await deployed("broken step", [adds("one"), broken]);
    await expect(call(() => process("broken step").next())).rejects.toThrow();
    await deployed("broken step", []);
    expect(await everything("broken step")).toEqual(before);
    await deployed("broken step", [adds("one"), adds("two")]);
    expect(await done("broken step")).toEqual(["one", "two"]);
  });

  it("are not run for a new process: it starts at the newest version", async () => {
    counterMigrations.now = { steps: [adds("one")] };
    await started("new");
    await evictDurableObject(process("new"));
    expect(await call(() => process("new").next())).toBe(1);
    expect(await done("new")).toBeUndefined();
  });

  it("write nothing to an object that was never started", async () => {
    counterMigrations.now = { steps: [adds("one")] };
    await expect(call(() => process("never").next())).rejects.toMatchObject({ reason: "noproc" });
    await evictDurableObject(process("never"));
    expect(await everything("never")).toEqual({ keys: {}, tables: {}, alarm: null });
  });

  it("are not run for a process that has ended: nothing is left of its data", async () => {
    await started("watcher of the late");
    const watcher = { binding: "COUNTER", id: process("watcher of the late").id.toString() };
    await call(() =>
      process("late").start({ from: 0 }, { restart: "temporary", monitor: { ref: "r", watcher } }),
    );
    // Its watcher does not acknowledge the end, so it is still to be told.
    await runInDurableObject(process("watcher of the late"), (instance) => void (instance.failures = 1));
    await expect(call(() => process("late").exit("shutdown"))).rejects.toThrow("made to fail");
    const unused = vi.fn<Migration>();
    await deployed("late", [unused]);
    expect(await everything("late")).toMatchObject({ keys: { "otp:ended": "shutdown" } });
    await runInDurableObject(process("late"), (instance) => void (instance.now = Date.now() + 60_000));
    await runDurableObjectAlarm(process("late"));
    expect(
      await runInDurableObject(process("watcher of the late"), (instance) => instance.notices),
    ).toMatchObject([{ kind: "down", ref: "r", reason: "shutdown" }]);
    expect(unused).not.toHaveBeenCalled();
    expect(await everything("late")).toEqual(markOf("shutdown"));
  });
});

describe("data of code that knew no versions", () => {
  const counter = ({ sql }: Migrated): void => {
    sql.exec("CREATE TABLE counter (count INTEGER NOT NULL)");
    sql.exec("INSERT INTO counter VALUES (41)");
  };

  it("begins where the class says that it does", async () => {
    await left("unmarked", (storage) => {
      storage.kv.put("process", { args: { from: 40 }, restart: "temporary", restarts: 2, recent: [] });
      counter(storage);
    });
    counterMigrations.now = { steps: [adds("one"), adds("two")], unmarked: () => 1 };
    expect(await call(() => process("unmarked").next())).toBe(42);
    expect(await done("unmarked")).toEqual(["two"]);
  });

  it("is that of the same process, from before restart kinds", async () => {
    await left("arguments", (storage) => {
      storage.kv.put("process", { from: 40 });
      storage.sql.exec("CREATE TABLE timers (ref INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT)");
      counter(storage);
    });
    expect(await call(() => process("arguments").next())).toBe(42);
    expect(await call(() => process("arguments").start({ from: 40 }))).toBe("already_started");
    expect(await call(() => process("arguments").exit("shutdown"))).toBe("exited");
    await runInDurableObject(process("arguments"), () => undefined).catch(() => undefined);
    expect(await everything("arguments")).toMatchObject({
      keys: { "otp:process": { args: { from: 40 }, restart: "permanent", restarts: 1 } },
      tables: { counter: [{ count: 42 }] },
    });
  });

  it("keeps life, monitors, notices and timers, under keys of their own", async () => {
    const now = (stopped.at = Date.now());
    const to = { binding: "COUNTER", id: process("watcher of the old").id.toString() };
    await started("watcher of the old");
    const timer = { due: now, set: now, attempts: 0, ref: "t" };
    const notice = { kind: "restarted", ref: "r", reason: "spite", restarts: 1, givenUp: false };
    await left("old", (storage) => {
      storage.kv.put("process", { args: { from: 40 }, restart: "permanent", restarts: 1, recent: [] });
      storage.kv.put("monitor/r", to);
      storage.kv.put("notice/000000000001", { to, notice });
      storage.kv.put("timer/a", { ...timer, message: "tick" });
      storage.kv.put("timer/otp:notices", { ...timer, message: { otp: "otp:notices" } });
      storage.kv.put("timers are", "the class's own");
      counter(storage);
    });
    const kept = (await everything("old")) as { keys: object };
    expect(Object.keys(kept.keys)).toEqual([
      "otp:monitor/r",
      "otp:notice/000000000001",
      "otp:process",
      "otp:timer/a",
      "otp:timer/otp:notices",
      "otp:versions",
      "process",
      "timers are",
    ]);
    await runDurableObjectAlarm(process("old"));
    expect(await runInDurableObject(process("old"), (instance) => instance.heard)).toEqual(["tick"]);
    const heard = (): Promise<unknown> =>
      runInDurableObject(process("watcher of the old"), (instance) => instance.notices);
    expect(await heard()).toEqual([notice]);
    await call(() => process("old").stop("shutdown"));
    expect(await heard()).toMatchObject([notice, { kind: "down", ref: "r", reason: "shutdown" }]);
    expect(await everything("old")).toEqual(markOf("shutdown"));
  });

  it("stops older code before it takes the process for one that was never started", async () => {
    await left("fenced", (storage) => {
      storage.kv.put("process", { args: { from: 40 }, restart: "permanent", restarts: 0, recent: [] });
      counter(storage);
    });
    const life = await runInDurableObject(process("fenced"), (_, { storage }) =>
      storage.kv.get<object>("process"),
    );
    // As that code did first of all.
    expect(() => "args" in (life as object)).toThrow("newer version of Durable KV");
  });

  it("still tells those who watched a process that it has ended", async () => {
    const now = (stopped.at = Date.now());
    const to = { binding: "COUNTER", id: process("watcher of the ended").id.toString() };
    await started("watcher of the ended");
    await left("ended", (storage) => {
      storage.kv.put("ended", "spite");
      storage.kv.put("notice/000000000001", { to, notice: { kind: "down", ref: "r", reason: "spite" } });
      storage.kv.put("timer/otp:notices", {
        due: now,
        attempts: 0,
        ref: "t",
        message: { otp: "otp:notices" },
      });
    });
    expect(await call(() => process("ended").stop("normal"))).toBe("spite");
    await runDurableObjectAlarm(process("ended"));
    expect(await runInDurableObject(process("watcher of the ended"), (instance) => instance.notices)).toEqual(
      [{ kind: "down", ref: "r", reason: "spite" }],
    );
    expect(await everything("ended")).toEqual(markOf("spite"));
  });

  it.each([true, "normal"])("still knows that a process was stopped before its start (%s)", async (ended) => {
    const name = `overtaken ${ended}`;
    await left(name, ({ kv }) => kv.put("ended", ended));
    await expect(call(() => process(name).start({ from: 0 }))).rejects.toMatchObject({ reason: "noproc" });
    expect(await call(() => process(name).stop("shutdown"))).toBe("normal");
  });
});

describe("data of newer code", () => {
  const newer = { otp: 99, data: 0 };

  /** A process that is due, with the versions of another deployment. */
  async function ahead(name: string, versions: object): Promise<unknown> {
    await started(name);
    await call(() => process(name).remind("a", "tick", 0));
    await left(name, ({ kv }) => kv.put("otp:versions", versions));
    return everything(name);
  }

  it.each([
    ["a process", newer, "format otp, version 99"],
    ["its class", { otp: 2, data: 1 }, "format data, version 1"],
    ["a format of another name", { otp: 2, data: 0, extra: 1 }, "format extra, version 1"],
  ])("is left alone: %s", async (name, versions, words) => {
    const before = await ahead(name, versions);
    const refused = { name: "Refusal", code: "storage_newer", message: expect.stringContaining(words) };
    const monitor = { ref: "r", watcher: { binding: "COUNTER", id: "0" } };
    for (const request of [
      () => process(name).next(),
      () => process(name).probe(),
      () => process(name).crash(),
      () => process(name).start({ from: 0 }),
      () => process(name).start({ from: 1 }),
      () => process(name).stop("shutdown"),
      () => process(name).exit("kill"),
      () => process(name).monitor(monitor),
      () => process(name).demonitor("r"),
      () => process(name).notify({ kind: "down", ref: "r", reason: "spite" }),
    ]) {
      // oxlint-disable-next-line typescript/no-explicit-any -- each call has a reply of its own
      await expect(call<unknown>(request as () => Promise<any>)).rejects.toMatchObject(refused);
    }
    expect(await everything(name)).toEqual(before);
  });

  it("keeps its timers until newer code is back", async () => {
    const now = (stopped.at = Date.now());
    const before = (await ahead("timers ahead", newer)) as { keys: object };
    await runDurableObjectAlarm(process("timers ahead"));
    const { keys, alarm } = (await everything("timers ahead")) as { keys: object; alarm: number };
    expect(keys).toEqual(before.keys);
    expect(alarm).toBeGreaterThan(now);
    expect(await runInDurableObject(process("timers ahead"), (instance) => instance.heard)).toEqual([]);
    await left("timers ahead", ({ kv }) => kv.put("otp:versions", { otp: 2, data: 0 }));
    await runDurableObjectAlarm(process("timers ahead"));
    expect(await runInDurableObject(process("timers ahead"), (instance) => instance.heard)).toEqual(["tick"]);
    expect(await call(() => process("timers ahead").next())).toBe(1);
  });
});
