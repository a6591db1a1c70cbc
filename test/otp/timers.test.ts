/** Many timers over the object's one alarm. */

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { call } from "../../src/otp/call.ts";
import { setFailpointHook } from "../../src/otp/failpoint.ts";
import { Timers } from "../../src/otp/timers.ts";
import type { Counter } from "../support/counter.ts";
import { armFailpoint } from "../support/faults.ts";

const SOON = 60_000;
/** When each of the processes starts. Their clocks stand, so that no test depends on how fast it runs. */
const START = Date.now();

async function process(name: string): Promise<DurableObjectStub<Counter>> {
  const counter = env.COUNTER.getByName(name);
  await call(() => counter.start({ from: 0 }));
  await runInDurableObject(counter, (instance) => {
    instance.now = START;
  });
  return counter;
}

/** Runs the alarm `ms` after the start, and says what the process has heard. */
async function alarmAfter(counter: DurableObjectStub<Counter>, ms: number): Promise<string[]> {
  await runInDurableObject(counter, (instance) => {
    instance.now = START + ms;
  });
  await runDurableObjectAlarm(counter);
  return runInDurableObject(counter, (instance) => instance.heard.splice(0));
}

const alarmOf = (counter: DurableObjectStub<Counter>): Promise<number | null> =>
  runInDurableObject(counter, (_, state) => state.storage.getAlarm());

/** The storage's key-value part, of which methods can be replaced. */
function kvOf({ kv }: DurableObjectStorage): DurableObjectStorage["kv"] {
  return {
    get: (key: string) => kv.get(key),
    put: (key: string, value: unknown) => kv.put(key, value),
    delete: (key: string) => kv.delete(key),
    list: (options?: object) => kv.list(options),
  };
}

/** Timers on an alarm of the tests' own. */
function timersOn(
  storage: Pick<DurableObjectStorage, "kv" | "getAlarm" | "setAlarm"> & Partial<DurableObjectStorage>,
  clock: () => number,
): Timers<string> {
  return new Timers<string>({ storage } as DurableObjectState, { clock });
}

/** A handler that writes down what it is given. */
const hear =
  (heard: string[]) =>
  (message: string, done: () => void): void => {
    heard.push(message);
    done();
  };

describe("timers", () => {
  it("deliver their message once it is due", async () => {
    const counter = await process("timer due");
    await call(() => counter.remind("a", "hello", SOON));
    expect(await alarmAfter(counter, SOON + 1)).toEqual(["hello"]);
    expect(await alarmOf(counter)).toBeNull();
  });

  it("share the one alarm, which is set to the earliest", async () => {
    const counter = await process("timers share");
    await call(() => counter.remind("late", "second", SOON * 2));
    const late = await alarmOf(counter);
    await call(() => counter.remind("early", "first", SOON));
    expect(await alarmOf(counter)).toBeLessThan(Number(late));
    expect(await alarmAfter(counter, SOON + 1_000)).toEqual(["first"]);
    expect(await alarmOf(counter)).toBe(late);
    expect(await alarmAfter(counter, SOON * 3)).toEqual(["second"]);
  });

  it("that are overdue together come in the order of their time", async () => {
    const counter = await process("timers overdue");
    await call(() => counter.remind("b", "second", SOON + 10));
    await call(() => counter.remind("c", "third", SOON + 20));
    await call(() => counter.remind("a", "first", SOON));
    expect(await alarmAfter(counter, SOON * 2)).toEqual(["first", "second", "third"]);
  });

  it("of one key replace each other", async () => {
    const counter = await process("timer replaced");
    await call(() => counter.remind("a", "old", SOON));
    await call(() => counter.remind("a", "new", SOON * 2));
    expect(await alarmAfter(counter, SOON + 1)).toEqual([]);
    expect(await alarmAfter(counter, SOON * 2 + 1_000)).toEqual(["new"]);
  });

  it("can be cancelled, and then no alarm is left", async () => {
    const counter = await process("timer cancelled");
    await call(() => counter.remind("a", "hello", SOON));
    await call(() => counter.forget("a"));
    expect(await alarmOf(counter)).toBeNull();
  });

  it("are tried again, later and later, for longer than the platform tries an alarm", async () => {
    const counter = await process("timer fails");
    await call(() => counter.remind("a", "at last", SOON));
    await runInDurableObject(counter, (instance) => {
      instance.failures = 8; // the platform gives up after six
    });
    const dues: number[] = [];
    const heard: string[] = [];
    while (heard.length === 0) {
      const due = Number(await alarmOf(counter));
      dues.push(due);
      heard.push(...(await alarmAfter(counter, due - START)));
    }
    expect(heard).toEqual(["at last"]);
    const waits = dues.slice(1).map((due, index) => (due - Number(dues[index])) / 1_000);
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128]);
  });

  it("do not hold each other up when one fails", async () => {
    const counter = await process("timer fails beside another");
    await call(() => counter.remind("a", "fails once", SOON));
    await call(() => counter.remind("b", "not held up", SOON + 1));
    await runInDurableObject(counter, (instance) => {
      instance.failures = 1;
    });
    expect(await alarmAfter(counter, SOON + 1_000)).toEqual(["not held up"]);
  });

  it("are armed again on construction when the platform has lost the alarm", async () => {
    const counter = await process("timer restored");
    await call(() => counter.remind("a", "not lost", SOON));
    const due = await alarmOf(counter);
    await runInDurableObject(counter, (_, state) => state.storage.deleteAlarm());
    await evictDurableObject(counter);
    expect(await alarmOf(env.COUNTER.getByName("timer restored"))).toBe(due);
  });

  describe.each([
    ["in the past", -3_600_000],
    ["in the future, until it is past", 10],
  ])("whose alarm is kept %s, and was never fired", (_, keptFor) => {
    it("are armed again: at the latest when something wakes the object", async () => {
      const counter = await process(`timer lost ${keptFor}`);
      await runInDurableObject(counter, async (instance, { storage }) => {
        let now = START;
        const alarms: number[] = [];
        // The platform still names its time, and has forgotten to call.
        const kept = {
          getAlarm: async () => now + keptFor,
          setAlarm: async (at: number) => void alarms.push(at),
        };
        const timers = timersOn({ kv: storage.kv, ...kept }, () => now);
        storage.kv.put("otp:timer/a", { due: now + keptFor, attempts: 0, message: "not lost", ref: "r" });
        await timers.restore();
        now += keptFor > 0 ? keptFor + 10_000 : 0;
        timers.wake();
        expect(alarms).toEqual([now]);
        // It was set a moment ago: there is no hurry.
        timers.wake();
        expect(alarms).toEqual([now]);
        now += 10_000;
        timers.wake();
        expect(alarms).toEqual([now - 10_000, now]);
        const heard: string[] = [];
        await timers.deliver(hear(heard));
        expect(heard).toEqual(["not lost"]);
        expect(instance.heard).toEqual([]);
      });
    });
  });

  it("that are overdue do not hold up those that are set behind them, though the clock was put forward", async () => {
    const counter = await process("timer forward");
    await call(() => counter.remind("a", "first", SOON));
    await runInDurableObject(counter, (instance) => {
      instance.now = START + 3_600_000;
    });
    await call(() => counter.next());
    expect(await alarmOf(counter)).toBe(START + 3_600_000);
    expect(await alarmAfter(counter, 3_600_000)).toEqual(["first"]);
  });

  it("come at the latest when something wakes the object, though the clock was put back", async () => {
    const counter = await process("timer back");
    await runInDurableObject(counter, async (_, { storage }) => {
      let now = START;
      const alarms: number[] = [];
      const own = {
        getAlarm: async () => null,
        setAlarm: async (at: number) => void alarms.push(at),
        deleteAlarm: async () => undefined,
      };
      const timers = timersOn({ kv: storage.kv, ...own }, () => now);
      const delivered = async (): Promise<string[]> => {
        const heard: string[] = [];
        await timers.deliver(hear(heard));
        return heard;
      };
      timers.sendAfter("a", "before its time", SOON);
      timers.sendAfter("b", "and this", SOON * 2);
      now -= 3_600_000;
      timers.wake();
      // What is set meanwhile does not put it off, and neither does another call.
      timers.sendAfter("c", "not yet", SOON);
      timers.wake();
      expect(alarms).toEqual([START + SOON, now]);
      expect(await delivered()).toEqual(["not yet", "before its time", "and this"]);
      timers.sendAfter("a", "in its time", SOON);
      now += SOON - 1;
      expect(await delivered()).toEqual([]);
      now += 1;
      expect(await delivered()).toEqual(["in its time"]);
    });
  });

  it("whose delivery fails as a whole, more often than the platform tries, are armed again all the same", async () => {
    const counter = await process("timer delivery fails");
    await runInDurableObject(counter, async (_, { storage }) => {
      let now = START;
      const alarms: number[] = [];
      const own = { getAlarm: async () => null, setAlarm: async (at: number) => void alarms.push(at) };
      const kv = kvOf(storage);
      const timers = timersOn({ ...own, kv }, () => now);
      timers.sendAfter("a", "hello", SOON);
      now += SOON;
      kv.list = () => {
        throw new Error("disk I/O error");
      };
      await expect(timers.deliver(() => undefined)).rejects.toThrow("disk I/O error");
      now += 10_000;
      timers.wake();
      expect(alarms).toEqual([START + SOON, now]);
      storage.kv.delete("otp:timer/a");
    });
  });

  it("know that the clock was put back while the object was away", async () => {
    const counter = await process("timer back asleep");
    await runInDurableObject(counter, async (_, { storage }) => {
      let now = START;
      const alarms: number[] = [];
      const kept = {
        getAlarm: async () => START + SOON,
        setAlarm: async (at: number) => void alarms.push(at),
      };
      timersOn({ kv: storage.kv, ...kept }, () => now).sendAfter("a", "hello", SOON);
      now -= 3_600_000;
      const awake = timersOn({ kv: storage.kv, ...kept }, () => now);
      await awake.restore();
      expect(alarms).toEqual([START + SOON, now]);
      storage.kv.delete("otp:timer/a");
    });
  });

  it("take a second or two that the clock is put back for nothing", async () => {
    const counter = await process("timer slewed");
    await call(() => counter.remind("a", "hello", SOON));
    await runInDurableObject(counter, (instance) => {
      instance.now = START - 2_000;
    });
    await call(() => counter.next());
    expect(await alarmOf(counter)).toBe(START + SOON);
  });

  it("may be cancelled and set again by a handler, for its own key, and are not lost", async () => {
    const counter = await process("timer cancelled and set");
    await runInDurableObject(counter, async (_, state) => {
      let now = 1_000;
      const timers = new Timers<string>(state, { clock: () => now });
      timers.sendAfter("a", "first", 0);
      await timers.deliver((_message, done) => {
        timers.cancel("a");
        timers.sendAfter("a", "second", 100);
        done();
      });
      expect(timers.due("a")).toBe(1_100);
      now = 1_100;
      const heard: string[] = [];
      await timers.deliver(hear(heard));
      expect(heard).toEqual(["second"]);
    });
  });

  it("may be set by a handler while it runs, for its own key too", async () => {
    const counter = await process("timer again");
    await runInDurableObject(counter, async (_, state) => {
      let now = 0;
      const timers = new Timers<number>(state, { clock: () => now });
      const heard: number[] = [];
      timers.sendAfter("tick", 1, 10);
      for (now = 10; now <= 30; now += 10) {
        await timers.deliver((count, done) => {
          heard.push(count);
          timers.sendAfter("tick", count + 1, 10);
          done();
        });
      }
      expect(heard).toEqual([1, 2, 3]);
      timers.cancel("tick");
    });
  });

  it("that are due while the process restarts are kept for the object that comes after", async () => {
    const counter = await process("timers and a restart");
    await call(() => counter.remind("a", "restart…", SOON));
    await call(() => counter.remind("b", "kept", SOON + 1));
    // The restart is under way until the first handler has returned.
    const { promise: returned, resolve } = Promise.withResolvers<void>();
    setFailpointHook((_, point) => (point === "restart: written, not told" ? returned : undefined));
    await runInDurableObject(counter, async (instance) => {
      instance.now = START + SOON + 10;
      instance.duringInfo = () => void instance.exit("boom");
      await instance.alarm();
      resolve();
    });
    setFailpointHook();
    const again = env.COUNTER.getByName("timers and a restart");
    const keys = async (): Promise<string[]> =>
      runInDurableObject(again, (_, { storage }) =>
        [...storage.kv.list({ prefix: "otp:timer/" })].map(([key]) => key),
      );
    await expect.poll(keys).toEqual(expect.arrayContaining(["otp:timer/a", "otp:timer/b"]));
  });

  describe("whose handler fails at its end", () => {
    afterEach(() => setFailpointHook());

    it("take effect once, if the handler awaits nothing: what it wrote is undone with the removal of its row", async () => {
      const counter = await process("timer once");
      await call(() => counter.remind("a", "count", SOON));
      const isHit = armFailpoint("timer: handled, row not removed", "throw");
      expect(await alarmAfter(counter, SOON)).toEqual(["count"]);
      expect(isHit()).toBe(true);
      expect(await alarmAfter(counter, SOON + 1_000)).toEqual(["count"]);
      expect(await call(() => counter.next())).toBe(2);
    });

    it("take effect once also if the object ends there", async () => {
      const counter = await process("timer once, ended");
      await call(() => counter.remind("a", "count", SOON));
      armFailpoint("timer: handled, row not removed", "abort");
      await expect(alarmAfter(counter, SOON)).rejects.toThrow("failpoint");
      const again = env.COUNTER.getByName("timer once, ended");
      await alarmAfter(again, SOON);
      expect(await call(() => again.next())).toBe(2);
    });

    it("take effect at least once, if the handler awaits", async () => {
      const counter = await process("timer twice");
      await call(() => counter.remind("a", "count…", SOON));
      armFailpoint("timer: handled, row not removed", "throw");
      await alarmAfter(counter, SOON);
      await alarmAfter(counter, SOON + 1_000);
      expect(await call(() => counter.next())).toBe(3);
    });

    it("drop what memory holds of the storage", async () => {
      const counter = await process("timer undone");
      await call(() => counter.remind("a", "count", SOON));
      armFailpoint("timer: handled, row not removed", "throw");
      await alarmAfter(counter, SOON);
      expect(await runInDurableObject(counter, ({ dropped }) => dropped)).toBe(1);
    });
  });
});
