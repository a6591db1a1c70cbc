/** A process that answers calls. */

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call } from "../../src/otp/call.ts";
import { Deadlines } from "../../src/otp/deadlines.ts";
import type { Counter, CounterArgs } from "../support/counter.ts";

const process = (name: string): DurableObjectStub<Counter> => env.COUNTER.getByName(name);

describe("a process", () => {
  it("answers noproc and writes no schema before it is started", async () => {
    const counter = process("before start");
    await expect(call(() => counter.next())).rejects.toMatchObject({ reason: "noproc" });
    const tables = await runInDurableObject(counter, (_, state) =>
      state.storage.sql.exec("SELECT name FROM sqlite_schema").toArray(),
    );
    expect(tables).toEqual([]);
  });

  it("starts once, however often it is told to", async () => {
    const counter = process("starts once");
    expect(await call(() => counter.start({ from: 5 }))).toBe("started");
    expect(await call(() => counter.next())).toBe(6);
    expect(await call(() => counter.start({ from: 5 }))).toBe("already_started");
    expect(await call(() => counter.next())).toBe(7);
  });

  it("refuses to start again as something else", async () => {
    const counter = process("starts as one thing");
    await call(() => counter.start({ from: 5 }));
    await expect(call(() => counter.start({ from: 6 }))).rejects.toMatchObject({ code: "already_started" });
    expect(await call(() => counter.next())).toBe(6);
  });

  it("is told to start again by a version that writes its arguments in another order, or has more of them", async () => {
    const counter = process("starts after an upgrade");
    await call(() => counter.start({ from: 5, step: 1 } as CounterArgs));
    for (const args of [{ step: 1, from: 5 }, { from: 5, step: 1, limit: 9 }, { from: 5 }]) {
      expect(await call(() => counter.start(args as CounterArgs))).toBe("already_started");
    }
    await expect(call(() => counter.start({ from: 6, limit: 9 } as CounterArgs))).rejects.toMatchObject({
      code: "already_started",
    });
  });

  it("leaves nothing of a start that fails", async () => {
    const counter = process("start fails");
    await runInDurableObject(counter, (instance, state) => {
      // A table of that name makes `init` fail at its first statement.
      state.storage.sql.exec("CREATE TABLE counter (other)");
      expect(() => instance.start({ from: 1 })).toThrow(/already exists/);
    });
    await expect(call(() => counter.next())).rejects.toMatchObject({ reason: "noproc" });
  });

  it("lives through eviction, with its state", async () => {
    const counter = process("evicted");
    await call(() => counter.start({ from: 1 }));
    await call(() => counter.next());
    await evictDurableObject(counter);
    expect(await call(() => process("evicted").next())).toBe(3);
  });

  it("runs terminate on stop, then is gone with everything that it stored", async () => {
    const counter = process("stops");
    await call(() => counter.start({ from: 1 }));
    await call(() => counter.remind("soon", "never heard", 60_000));
    expect(await call(() => counter.stop("shutdown"))).toBe("shutdown");
    await expect(call(() => counter.next())).rejects.toMatchObject({ reason: "noproc" });
    const left = await runInDurableObject(counter, (instance, state) => ({
      ended: instance.goodbyes,
      tables: state.storage.sql
        .exec("SELECT name FROM sqlite_schema WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'")
        .toArray(),
      keys: [...state.storage.kv.list()].map(([key]) => key),
    }));
    // The mark of its end, for a minute.
    const keys = ["otp:ended", "otp:timer/otp:forget", "otp:versions"];
    expect(left).toEqual({ ended: ["shutdown"], tables: [], keys });
  });

  it("that is stopped before its start arrives never starts", async () => {
    const counter = process("start overtaken");
    expect(await call(() => counter.stop("normal"))).toBe("normal");
    await evictDurableObject(counter);
    await expect(call(() => process("start overtaken").start({ from: 1 }))).rejects.toMatchObject({
      reason: "noproc",
    });
  });

  it("stops once, however often it is told to", async () => {
    const counter = process("stops once");
    await call(() => counter.start({ from: 1 }));
    await call(() => counter.stop("normal"));
    expect(await call(() => counter.stop("normal"))).toBe("normal");
  });
});

describe("a call", () => {
  it("throws a refusal for the caller's mistake, with its code", async () => {
    const counter = process("refuses");
    await call(() => counter.start({ from: 1 }));
    await expect(call(() => counter.refuse())).rejects.toMatchObject({
      name: "Refusal",
      code: "no_such_thing",
    });
  });

  it("exits with the crash's message when the process throws", async () => {
    const counter = process("crashes");
    await call(() => counter.start({ from: 1 }));
    await expect(call(() => counter.crash())).rejects.toMatchObject({
      name: "Exit",
      reason: { crash: expect.stringContaining("out of cheese") as string },
    });
  });

  it("passes on the exit of a call that the process made itself", async () => {
    await expect(call(() => process("calls the dead").callsTheDead())).rejects.toMatchObject({
      reason: "noproc",
    });
  });

  it("exits with timeout past its deadline", async () => {
    const counter = process("hangs");
    await expect(call(() => counter.hang(), { deadlines: new Deadlines(20) })).rejects.toMatchObject({
      reason: "timeout",
    });
  });
});
