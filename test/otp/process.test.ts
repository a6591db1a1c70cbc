/** How processes end, and who hears of it. */

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call } from "../../src/otp/call.ts";
import type { Notice } from "../../src/otp/monitor.ts";
import type { StartOptions } from "../../src/otp/process.ts";
import { stopped, type Counter } from "../support/counter.ts";

const LATER_MS = 60_000;

const process = (name: string): DurableObjectStub<Counter> => env.COUNTER.getByName(name);

async function started(name: string, options: StartOptions = {}): Promise<DurableObjectStub<Counter>> {
  await call(() => process(name).start({ from: 0 }, options));
  return process(name);
}

const monitorBy = (watcher: string, ref = "ref") => ({
  ref,
  watcher: { binding: "COUNTER", id: process(watcher).id.toString() },
});

/** A process that is watched, and the name of the one that watches it. */
async function watched(name: string, options: StartOptions = {}): Promise<string> {
  const watcher = `watcher of ${name}`;
  await started(watcher);
  await started(name, { ...options, monitor: monitorBy(watcher) });
  return watcher;
}

const heardBy = (watcher: string): Promise<Notice[]> =>
  runInDurableObject(process(watcher), (instance) => instance.notices);

/** Runs the alarm as if it were later. */
async function alarmLater(name: string): Promise<void> {
  await runInDurableObject(process(name), (instance) => {
    instance.now = Date.now() + LATER_MS;
  });
  await runDurableObjectAlarm(process(name));
}

const kept = (name: string): Promise<unknown> =>
  runInDurableObject(process(name), async (_, { storage }) => ({
    keys: [...storage.kv.list()].map(([key]) => key),
    tables: storage.sql
      .exec("SELECT name FROM sqlite_schema WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'")
      .toArray(),
    alarm: await storage.getAlarm(),
  }));

const NOTHING = { keys: [], tables: [], alarm: null };
/** What an object keeps for a minute of a process that has ended. */
const MARK = {
  keys: ["otp:ended", "otp:timer/otp:forget", "otp:versions"],
  tables: [],
  alarm: expect.any(Number) as number,
};
const down = (reason: string): Notice => ({ kind: "down", ref: "ref", reason });

describe("DOWN", () => {
  it("has the reason of a stop", async () => {
    const watcher = await watched("down stop");
    await call(() => process("down stop").stop("shutdown"));
    expect(await heardBy(watcher)).toEqual([down("shutdown")]);
    expect(await kept("down stop")).toEqual(MARK);
  });

  it("is the reply to a watcher that stops the process itself", async () => {
    const watcher = await watched("down asker");
    expect(await call(() => process("down asker").stop("normal", "ref"))).toBe("normal");
    expect(await heardBy(watcher)).toEqual([]);
    expect(await kept("down asker")).toEqual(MARK);
  });

  it("has the reason of an exit signal", async () => {
    const watcher = await watched("down exit", { restart: "temporary" });
    expect(await call(() => process("down exit").exit("out of stock"))).toBe("exited");
    expect(await heardBy(watcher)).toEqual([down("out of stock")]);
    expect(await kept("down exit")).toEqual(MARK);
  });

  it("has come when the crash is answered", async () => {
    const watcher = await watched("down crash", { restart: "temporary" });
    await expect(call(() => process("down crash").crash())).rejects.toMatchObject({
      reason: { crash: "out of cheese" },
    });
    expect(await heardBy(watcher)).toEqual([down("crash: out of cheese")]);
    await expect(call(() => process("down crash").next())).rejects.toMatchObject({ reason: "noproc" });
  });

  it("comes to every watcher, and to none of them twice", async () => {
    const watcher = await watched("down many");
    await started("second watcher");
    await call(() => process("down many").monitor(monitorBy("second watcher", "second ref")));
    await call(() => process("down many").monitor(monitorBy("second watcher", "second ref")));
    await call(() => process("down many").stop("normal"));
    expect(await heardBy(watcher)).toEqual([down("normal")]);
    expect(await heardBy("second watcher")).toEqual([{ ...down("normal"), ref: "second ref" }]);
  });

  it("is repeated until it is acknowledged; until then the end is not", async () => {
    const watcher = await watched("down repeated", { restart: "temporary" });
    await runInDurableObject(process(watcher), (instance) => {
      instance.failures = 2;
    });
    await expect(call(() => process("down repeated").exit("shutdown"))).rejects.toMatchObject({
      name: "Exit",
    });
    expect(await heardBy(watcher)).toEqual([]);
    await expect(call(() => process("down repeated").next())).rejects.toMatchObject({ reason: "noproc" });
    await alarmLater("down repeated");
    await runInDurableObject(process("down repeated"), (instance) => {
      instance.now = Date.now() + 2 * LATER_MS;
    });
    await runDurableObjectAlarm(process("down repeated"));
    expect(await heardBy(watcher)).toEqual([down("shutdown")]);
    expect(await kept("down repeated")).toEqual(MARK);
  });

  it("survives a restart of the process that owes it", async () => {
    const watcher = await watched("down evicted", { restart: "temporary" });
    await runInDurableObject(process(watcher), (instance) => {
      instance.failures = 1;
    });
    await call(() => process("down evicted").exit("shutdown")).catch(() => undefined);
    await runInDurableObject(process("down evicted"), (_, ctx) => ctx.abort("made to end")).catch(
      () => undefined,
    );
    await alarmLater("down evicted");
    expect(await heardBy(watcher)).toEqual([down("shutdown")]);
  });

  it("to a watcher that is gone is dropped, and nothing is left", async () => {
    const watcher = await watched("down unacked", { restart: "temporary" });
    await call(() => process(watcher).stop("normal"));
    await call(() => process("down unacked").exit("shutdown"));
    expect(await kept("down unacked")).toEqual(MARK);
    await alarmLater("down unacked");
    expect(await kept("down unacked")).toEqual(NOTHING);
  });
});

describe("a start that was sent twice", () => {
  it.each([
    ["a stop", (counter: DurableObjectStub<Counter>) => call(() => counter.stop("normal", "ref"))],
    ["an exit signal", (counter: DurableObjectStub<Counter>) => call(() => counter.exit("kill"))],
    [
      "a stop of what had ended",
      async (counter: DurableObjectStub<Counter>) => {
        await call(() => counter.exit("kill"));
        await call(() => counter.stop("normal", "ref"));
      },
    ],
  ])("and arrives again after %s makes no process, for a minute", async (how, end) => {
    const name = `twice, then ${how}`;
    await watched(name, { restart: "temporary" });
    await end(process(name));
    await expect(started(name)).rejects.toMatchObject({ reason: "noproc" });
    expect(await kept(name)).toEqual(MARK);
    await alarmLater(name);
    expect(await kept(name)).toEqual(NOTHING);
  });
});

describe("a monitor", () => {
  it("on what is not there is noproc at once", async () => {
    await expect(call(() => process("never there").monitor(monitorBy("a watcher")))).rejects.toMatchObject({
      reason: "noproc",
    });
  });

  it("is kept over a restart of the process", async () => {
    const watcher = await watched("monitor kept");
    await evictDurableObject(process("monitor kept"));
    await call(() => process("monitor kept").stop("normal"));
    expect(await heardBy(watcher)).toEqual([down("normal")]);
  });

  it("that was taken back hears nothing", async () => {
    const watcher = await watched("demonitored");
    await call(() => process("demonitored").demonitor("ref"));
    await call(() => process("demonitored").stop("normal"));
    expect(await heardBy(watcher)).toEqual([]);
  });

  it("that was taken back hears nothing of what was on its way either (flush)", async () => {
    const watcher = await watched("flushed", { restart: "temporary" });
    await runInDurableObject(process(watcher), (instance) => {
      instance.failures = 1;
    });
    await call(() => process("flushed").exit("shutdown")).catch(() => undefined);
    await call(() => process("flushed").demonitor("ref"));
    await alarmLater("flushed");
    expect(await heardBy(watcher)).toEqual([]);
    expect(await kept("flushed")).toEqual(MARK);
  });
});

describe("an exit signal", () => {
  it("normal is ignored", async () => {
    const counter = await started("exit normal", { restart: "temporary" });
    expect(await call(() => counter.exit("normal"))).toBe("ignored");
    expect(await call(() => counter.next())).toBe(1);
  });

  it("may be handled", async () => {
    const counter = await started("exit handled", { restart: "temporary" });
    await runInDurableObject(counter, (instance) => {
      instance.trapsExits = true;
    });
    expect(await call(() => counter.exit("shutdown"))).toBe("ignored");
    expect(await runInDurableObject(counter, (instance) => instance.signals)).toEqual(["shutdown"]);
    expect(await call(() => counter.next())).toBe(1);
  });

  it("kill can't be handled, becomes killed, and terminate does not run", async () => {
    const watcher = await watched("exit kill", { restart: "temporary" });
    await runInDurableObject(process("exit kill"), (instance) => {
      instance.trapsExits = true;
    });
    expect(await call(() => process("exit kill").exit("kill"))).toBe("exited");
    expect(await heardBy(watcher)).toEqual([down("killed")]);
    expect(await runInDurableObject(process("exit kill"), (instance) => instance.goodbyes)).toEqual([]);
  });

  it("other than kill lets terminate run", async () => {
    const counter = await started("exit terminates", { restart: "temporary" });
    await call(() => counter.exit("shutdown"));
    expect(await runInDurableObject(counter, (instance) => instance.goodbyes)).toEqual(["shutdown"]);
  });

  it("to what is not there is noproc", async () => {
    await expect(call(() => process("never exited").exit("shutdown"))).rejects.toMatchObject({
      reason: "noproc",
    });
  });
});

describe("a permanent process", () => {
  const restartedBy = (reason: string, restarts: number, givenUp = false): Notice => ({
    kind: "restarted",
    ref: "ref",
    reason,
    restarts,
    givenUp,
  });

  it.each([
    ["an exit signal", "shutdown", (counter: DurableObjectStub<Counter>) => counter.exit("shutdown")],
    ["kill", "killed", (counter: DurableObjectStub<Counter>) => counter.exit("kill")],
    ["a crash", "crash: out of cheese", (counter: DurableObjectStub<Counter>) => counter.crash()],
  ] as const)(
    "is reset by %s, keeps what it stored, and its watcher hears RESTARTED",
    async (how, reason, end) => {
      const name = `permanent ${how}`;
      const watcher = await watched(name);
      expect(await call(() => process(name).next())).toBe(1);
      await runInDurableObject(process(name), (instance) => instance.heard.push("in memory"));
      await call(() => end(process(name)) as Promise<{ reply: unknown }>).catch(() => undefined);
      // The reset is a moment away, and a call asks again until it is over.
      expect(await call(() => process(name).next(), { repeat: "twice" })).toBe(2);
      expect(await runInDurableObject(process(name), (instance) => instance.heard)).toEqual([]);
      expect(await heardBy(watcher)).toEqual([restartedBy(reason, 1)]);
    },
  );

  it("ends for good by stop only", async () => {
    const watcher = await watched("permanent stopped");
    await call(() => process("permanent stopped").stop("normal"));
    expect(await heardBy(watcher)).toEqual([down("normal")]);
  });

  it("is left alone after more than 3 restarts in 5 s, until a probe finds it well", async () => {
    const name = "permanent too often";
    const watcher = await watched(name);
    // However busy the machine is.
    stopped.at = Date.now();
    for (let count = 1; count <= 4; count += 1) {
      await call(() => process(name).crash()).catch(() => undefined);
      await expect
        .poll(() => call(() => process(name).exit("normal")).catch(() => undefined))
        .toBe("ignored");
    }
    stopped.at = undefined;
    await expect(call(() => process(name).next())).rejects.toMatchObject({ code: "restart_intensity" });
    expect((await heardBy(watcher)).at(-1)).toEqual(restartedBy("crash: out of cheese", 4, true));
    await expect(call(() => process(name).probe())).rejects.toMatchObject({ code: "restart_intensity" });
    await runInDurableObject(process(name), (instance) => {
      instance.now = Date.now() + LATER_MS;
    });
    expect(await call(() => process(name).probe())).toBe(0);
    expect(await call(() => process(name).next())).toBe(1);
  });
});

describe("what is no crash", () => {
  it.each([
    ["a full disk", "database or disk is full: SQLITE_FULL"],
    ["a broken file", "database disk image is malformed: SQLITE_CORRUPT"],
    ["a failing disk", "disk I/O error: SQLITE_IOERR"],
  ])("%s: the process lives, and its caller hears that the outcome is unknown", async (what, message) => {
    const watcher = await watched(what, { restart: "temporary" });
    await expect(call(() => process(what).fail(message))).rejects.toMatchObject({ name: "Exit" });
    expect(await call(() => process(what).next())).toBe(1);
    expect(await heardBy(watcher)).toEqual([]);
  });

  it("a caller's mistake", async () => {
    const watcher = await watched("a mistake", { restart: "temporary" });
    await expect(call(() => process("a mistake").refuse())).rejects.toMatchObject({ code: "no_such_thing" });
    expect(await heardBy(watcher)).toEqual([]);
  });

  it("a statement that is wrong is one", async () => {
    const watcher = await watched("a wrong statement", { restart: "temporary" });
    await call(() => process("a wrong statement").fail("no such table: x: SQLITE_ERROR")).catch(
      () => undefined,
    );
    expect(await heardBy(watcher)).toEqual([down("crash: no such table: x: SQLITE_ERROR")]);
  });
});
