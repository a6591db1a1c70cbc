/** How buckets end and restart, as their callers and connections see it. */

import { describe, expect, it } from "vitest";
import { setFailpointHook } from "../../src/otp/failpoint.ts";
import { connectBucket, exitBucket, isolate } from "../support/directories.ts";
import { bucketOf, kindsOf, rowOf } from "../support/faults.ts";
import { clock } from "../support/objects.ts";
import { getMilk, shopping } from "../support/shopping.ts";

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

describe("restart intensity", () => {
  it("more than 3 restarts in 5 s make a bucket unreachable, with the reason; its name and data are kept", async () => {
    const caller = await shopping("spinning", "permanent");
    // However busy the machine is.
    clock.stoppedAt = Date.now();
    for (let count = 0; count < 4; count += 1)
      await exitBucket(caller.directory, "spinning", `boom ${count}`);
    clock.stoppedAt = undefined;
    expect(await rowOf("spinning")).toMatchObject({ state: "unreachable", reason: "boom 3", restarts: 4 });
    await expect(getMilk(caller, "spinning")).rejects.toMatchObject({ code: "restart_intensity" });
    expect(await kindsOf("spinning")).toEqual([
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
  it("is asked again, and never taken for one that does not exist", async () => {
    const { id } = await shopping("held-restart", "permanent");
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    setFailpointHook((_, point) => (point === "restart: written, not told" ? held : undefined));
    const exit = exitBucket(isolate().directory, "held-restart", "boom");
    const asked = Promise.allSettled([
      connectBucket(isolate().directory, "held-restart", "/subscribe"),
      getMilk(isolate(), "held-restart"),
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
  it("receive DOWN and are closed, once the registry knows", async () => {
    await shopping("connected", "temporary");
    const { socket, heard, closed } = await connect("connected");
    socket.send("MONITOR connected\nMONITOR connected");
    await expect.poll(() => heard.length).toBe(1);
    await exitBucket(isolate().directory, "connected", "boom");
    expect(await closed).toBe(1001);
    expect(heard).toEqual(["OK\r\nOK\r\n", "DOWN connected boom\r\n"]);
  });

  it("receive RESTARTED and are closed, because their object is reset", async () => {
    await shopping("reconnect", "permanent");
    const { socket, heard, closed } = await connect("reconnect");
    socket.send("MONITOR reconnect");
    await expect.poll(() => heard.length).toBe(1);
    await exitBucket(isolate().directory, "reconnect", "boom");
    expect(await closed).toBe(1012);
    expect(heard).toEqual(["OK\r\n", "RESTARTED reconnect boom\r\n"]);
  });

  it("receive the reply to their own EXIT first", async () => {
    await shopping("own-exit", "temporary");
    const { socket, heard, closed } = await connect("own-exit");
    socket.send("MONITOR own-exit\nEXIT own-exit boom\nGET own-exit milk");
    expect(await closed).toBe(1001);
    expect(heard).toEqual(["OK\r\nOK\r\nNOT FOUND\r\n", "DOWN own-exit boom\r\n"]);
  });

  it("never receive NOT FOUND for a bucket that is only being restarted", async () => {
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
    expect(await getMilk(isolate(), "own-restart")).toMatchObject({ entry: { value: "1" } });
  });
});
