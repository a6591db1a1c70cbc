import { describe, expect, it } from "vitest";
import type { Engine } from "../../src/serve/engine.ts";
import { Restarts } from "../../src/serve/restarts.ts";
import { Stop } from "../../src/serve/stop.ts";
import { supervise } from "../../src/serve/supervisor.ts";

/** Engines that end when they are told to, and the ports that each was started on. */
function engines() {
  const started: { readonly ports: Engine["ports"] | undefined; readonly end: (code: number) => void }[] = [];
  let failing: Error | undefined;
  const start = async (ports: Engine["ports"] | undefined): Promise<Engine> => {
    if (failing !== undefined) throw failing;
    const ended = Promise.withResolvers<number>();
    started.push({ ports, end: ended.resolve });
    return {
      ports: { http: 8_787, tcp: undefined },
      pid: started.length,
      ended: ended.promise,
      stop: async () => ended.resolve(0),
    };
  };
  return { started, start, fail: (error: Error) => (failing = error) };
}

const count = (list: readonly unknown[]) => () => list.length;

describe("a supervisor", () => {
  it("starts an engine that ends by itself again, on the ports of the first", async () => {
    const { started, start } = engines();
    const lines: string[] = [];
    const service = await supervise({ start, log: (line) => lines.push(line), clock: () => 0 });
    started[0]?.end(1);
    await expect.poll(count(started)).toBe(2);
    expect(started[1]?.ports).toEqual(service.ports);
    await expect
      .poll(() => lines)
      .toEqual(["The engine ended by itself (code 1). It is started again.", "The engine is back."]);
    await service.stop();
    expect(started.length).toBe(2);
  });

  it("gives up one that ends for the sixth time within a minute", async () => {
    const { started, start } = engines();
    const service = await supervise({ start, log: () => undefined, clock: () => 0 });
    for (let n = 0; n < 6; n += 1) {
      await expect.poll(count(started)).toBe(n + 1);
      started[n]?.end(137);
    }
    expect(await service.failed).toContain("code 137");
    expect(started.length).toBe(6);
  });

  it("gives up one that can't be started again, and says why", async () => {
    const { started, start, fail } = engines();
    const service = await supervise({ start, log: () => undefined, clock: () => 0 });
    fail(new Stop("Port 8787 is in use."));
    started[0]?.end(1);
    expect(await service.failed).toBe("Port 8787 is in use.");
  });

  it("does not start one again that it has stopped", async () => {
    const { started, start } = engines();
    const service = await supervise({ start, log: () => undefined, clock: () => 0 });
    await service.stop();
    await service.stop();
    expect(started.length).toBe(1);
  });
});

describe("restarts", () => {
  it("are five in any minute", () => {
    let now = 0;
    const restarts = new Restarts(() => now);
    const allowed: boolean[] = [];
    for (now = 0; now < 70_000; now += 10_000) allowed.push(restarts.allow());
    expect(allowed).toEqual([true, true, true, true, true, false, true]);
  });
});
