/** How buckets end, as everybody else sees it. */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { call } from "../../src/otp/call.ts";
import type { RestartKind } from "../../src/otp/restart.ts";
import { setFailpointHook } from "../../src/otp/failpoint.ts";
import { ask, connectBucket, exitBucket, isolate, type Isolate } from "../support/directories.ts";
import { bucketOf, bucketState, eventsOf, rowOf } from "../support/faults.ts";
import { clock } from "../support/objects.ts";

async function shopping(name: string, restart: RestartKind): Promise<Isolate & { readonly id: string }> {
  const caller = isolate();
  const { registration } = await caller.directory.create(name, { restart });
  await ask(caller.directory, name, (bucket) => bucket.put("milk", "1"));
  return { ...caller, id: registration.id };
}

const get = (caller: Isolate, name: string) =>
  ask(caller.directory, name, (bucket) => bucket.get("milk", {}));

/** A connection to the bucket's own object. */
async function connect(
  name: string,
): Promise<{ socket: WebSocket; heard: string[]; closed: Promise<number> }> {
  const socket = await connectBucket(isolate().directory, name, "/connect");
  if (socket === undefined) throw new Error(`no bucket ${name}`);
  const heard: string[] = [];
  const closed = new Promise<number>((resolve) => {
    socket.addEventListener("message", ({ data }) => void heard.push(String(data)));
    socket.addEventListener("close", ({ code }) => resolve(code));
  });
  socket.accept();
  return { socket, heard, closed };
}

const kinds = async (name: string): Promise<string[]> =>
  (await eventsOf(name)).map(({ kind, reason }) => (reason === null ? kind : `${kind} ${reason}`));

// The guide's KV.RegistryTest: there a barrier call is needed, so that the DOWN has been handled. Here the
// end is acknowledged when it has.
describe("KV.RegistryTest", () => {
  it("removes bucket on exit", async () => {
    const caller = await shopping("exit", "temporary");
    await caller.directory.stop("exit");
    expect(await isolate().directory.lookup("exit")).toBeUndefined();
    expect(await kinds("exit")).toEqual(["created", "DOWN normal"]);
  });

  it("removes bucket on crash", async () => {
    const caller = await shopping("crash", "temporary");
    // The guide stops its bucket with a reason that is not normal.
    await exitBucket(caller.directory, "crash", "shutdown");
    expect(await isolate().directory.lookup("crash")).toBeUndefined();
    expect(await kinds("crash")).toEqual(["created", "DOWN shutdown"]);
  });
});

describe("invariant 1: truth", () => {
  it.each([
    ["kill", "killed", (caller: Isolate, name: string) => exitBucket(caller.directory, name, "kill")],
    ["an exit signal", "boom", (caller: Isolate, name: string) => exitBucket(caller.directory, name, "boom")],
    [
      "a crash of its own code",
      "crash: out of cheese",
      async (_: Isolate, name: string) => {
        const id = (await rowOf(name))?.id ?? "";
        await expect(call(() => bucketOf(id).crash("out of cheese"))).rejects.toMatchObject({
          reason: { crash: "out of cheese" },
        });
      },
    ],
  ] as const)(
    "a temporary bucket that ended by %s is gone at once for every caller",
    async (how, reason, end) => {
      const name = `gone-${how.replaceAll(" ", "-")}`;
      const caller = await shopping(name, "temporary");
      const stale = isolate();
      await get(stale, name);
      await end(caller, name);
      expect(await isolate().directory.lookup(name)).toBeUndefined();
      expect(await get(stale, name)).toBeUndefined();
      expect(await get(caller, name)).toBeUndefined();
      expect(await kinds(name)).toEqual(["created", `DOWN ${reason}`]);
      expect(await bucketState(caller.id)).toMatchObject({ incarnation: undefined, kept: 0 });
    },
  );

  it("normal from outside ends nothing", async () => {
    const caller = await shopping("normal", "temporary");
    expect(await exitBucket(caller.directory, "normal", "normal")).toBe(true);
    expect(await get(caller, "normal")).toMatchObject({ outcome: "found" });
  });

  it("an exit signal to a name that leads nowhere says so", async () => {
    expect(await exitBucket(isolate().directory, "nobody", "kill")).toBe(false);
  });
});

describe("invariant 3: nothing lost", () => {
  it.each(["kill", "shutdown"])("a permanent bucket comes back from %s with what it kept", async (signal) => {
    const name = `back-from-${signal}`;
    const caller = await shopping(name, "permanent");
    const before = await rowOf(name);
    expect(await exitBucket(caller.directory, name, signal)).toBe(true);
    expect(await get(caller, name)).toMatchObject({ entry: { value: "1" } });
    expect(await rowOf(name)).toMatchObject({
      incarnation: before?.incarnation,
      state: "running",
      restarts: 1,
      reason: signal === "kill" ? "killed" : signal,
    });
    expect(await kinds(name)).toEqual(["created", `RESTARTED ${signal === "kill" ? "killed" : signal}`]);
  });

  it("a permanent bucket comes back from a crash of its own code", async () => {
    const caller = await shopping("back-from-crash", "permanent");
    await call(() => bucketOf(caller.id).crash("out of cheese")).catch(() => undefined);
    expect(await get(caller, "back-from-crash")).toMatchObject({ entry: { value: "1" } });
    expect(await kinds("back-from-crash")).toEqual(["created", "RESTARTED crash: out of cheese"]);
  });

  it("a permanent bucket ends by stop, for good", async () => {
    const caller = await shopping("stopped", "permanent");
    await caller.directory.stop("stopped");
    expect(await kinds("stopped")).toEqual(["created", "DOWN normal"]);
    await caller.directory.create("stopped");
    expect(await get(caller, "stopped")).toEqual({ outcome: "absent" });
  });
});

describe("restart intensity", () => {
  it("more than 3 restarts in 5 s make a bucket unreachable, with the reason; its name and data are kept", async () => {
    const caller = await shopping("spinning", "permanent");
    // However busy the machine is.
    clock.stoppedAt = Date.now();
    for (let count = 0; count < 4; count += 1)
      await exitBucket(caller.directory, "spinning", `boom ${count}`);
    clock.stoppedAt = undefined;
    expect(await rowOf("spinning")).toMatchObject({ state: "unreachable", reason: "boom 3", restarts: 4 });
    await expect(get(caller, "spinning")).rejects.toMatchObject({ code: "restart_intensity" });
    expect(await kinds("spinning")).toEqual([
      "created",
      "RESTARTED boom 0",
      "RESTARTED boom 1",
      "RESTARTED boom 2",
      "RESTARTED boom 3",
      "unreachable boom 3",
    ]);
    // It can be stopped all the same.
    expect(await caller.directory.stop("spinning")).toBe(true);
    expect(await isolate().directory.lookup("spinning")).toBeUndefined();
  });
});

describe("a bucket that is being restarted", () => {
  it("is asked again, not taken for one that is not there", async () => {
    const { id } = await shopping("held-restart", "permanent");
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    setFailpointHook((_, point) => (point === "restart: written, not told" ? held : undefined));
    const exit = exitBucket(isolate().directory, "held-restart", "boom");
    const asked = Promise.allSettled([
      connectBucket(isolate().directory, "held-restart", "/subscribe"),
      get(isolate(), "held-restart"),
    ]);
    await expect.poll(() => bucketOf(id).totals()).toEqual({ exit: "restarting" });
    setFailpointHook();
    release();
    expect(await exit).toBe(true);
    // The reset itself may break what is just being asked; what it never is, is "not there".
    for (const answer of await asked) {
      if (answer.status === "fulfilled") expect(answer.value).toBeDefined();
      else expect(answer.reason).toMatchObject({ reason: "noconnection" });
    }
  });
});

describe("the connections of a bucket", () => {
  it("hear of its end and are closed, when the registry knows", async () => {
    await shopping("connected", "temporary");
    const { socket, heard, closed } = await connect("connected");
    socket.send("MONITOR connected\nMONITOR connected");
    await expect.poll(() => heard.length).toBe(1);
    await exitBucket(isolate().directory, "connected", "boom");
    expect(await closed).toBe(1001);
    expect(heard).toEqual(["OK\r\nOK\r\n", "DOWN connected boom\r\n"]);
  });

  it("hear of a restart and are closed, because what holds them is reset", async () => {
    await shopping("reconnect", "permanent");
    const { socket, heard, closed } = await connect("reconnect");
    socket.send("MONITOR reconnect");
    await expect.poll(() => heard.length).toBe(1);
    await exitBucket(isolate().directory, "reconnect", "boom");
    expect(await closed).toBe(1012);
    expect(heard).toEqual(["OK\r\n", "RESTARTED reconnect boom\r\n"]);
  });

  it("hear the reply to their own EXIT first", async () => {
    await shopping("own-exit", "temporary");
    const { socket, heard, closed } = await connect("own-exit");
    socket.send("MONITOR own-exit\nEXIT own-exit boom\nGET own-exit milk");
    expect(await closed).toBe(1001);
    expect(heard).toEqual(["OK\r\nOK\r\nNOT FOUND\r\n", "DOWN own-exit boom\r\n"]);
  });

  it("never hear that a bucket which is only being restarted is not there", async () => {
    await shopping("own-restart", "permanent");
    const { socket, heard, closed } = await connect("own-restart");
    const behind = [
      "GET b milk",
      "PUT b milk 2",
      "LOOKUP b",
      "MONITOR b",
      "SUBSCRIBE b",
      "CREATE b",
      "STOP b",
    ];
    socket.send(["EXIT b boom", ...behind, "EXIT b again"].join("\n").replaceAll(" b", " own-restart"));
    expect(await closed).toBe(1012);
    const again = "ERROR UNAVAILABLE The bucket is being restarted. Nothing was done: try again.";
    expect(heard.join("").split("\r\n")).toEqual(["OK", ...behind.map(() => again), again, ""]);
    expect(await get(isolate(), "own-restart")).toMatchObject({ entry: { value: "1" } });
  });
});

describe("invariant 4: nothing leaks", () => {
  it("a start that comes after the stop makes no bucket, and its object forgets that it was ever asked", async () => {
    const id = env.BUCKET.newUniqueId();
    const args = { name: "overtaken", incarnation: "aaaa", createdAt: 0 };
    await call(() => env.BUCKET.get(id).stop("normal"));
    await expect(call(() => env.BUCKET.get(id).start(args))).rejects.toMatchObject({ reason: "noproc" });
    clock.aheadMs += 100_000;
    await runInDurableObject(bucketOf(id.toString()), (instance) => instance.alarm());
    expect(await bucketState(id.toString())).toMatchObject({ kept: 0 });
  });
});
