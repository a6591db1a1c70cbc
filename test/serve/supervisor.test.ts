/** The supervisor of the engine. */

import { describe, expect, it } from "vitest";
import type { Engine } from "../../src/serve/engine.ts";
import { Restarts } from "../../src/serve/restarts.ts";
import { StartupError } from "../../src/serve/run-program.ts";
import { supervise } from "../../src/serve/supervisor.ts";

/** Engines that end when they are told to, and the ports that each was started on. */
function engines() {
  const started: { readonly ports: Engine["ports"] | undefined; readonly end: (code: number) => void }[] = [];
  let failing: Error | undefined;
  const start = async (ports: Engine["ports"] | undefined): Promise<Engine> => {
    const failure = failing;
    failing = undefined;
    if (failure !== undefined) throw failure;
    const ended = Promise.withResolvers<number>();
    started.push({ ports, end: ended.resolve });
    return {
      ports: { http: 8_787, tcp: undefined },
      pid: started.length,
      ended: ended.promise,
      freed: async () => [],
      stop: async () => ended.resolve(0),
    };
  };
  return { started, start, fail: (error: Error) => void (failing = error) };
}

const count = (list: readonly unknown[]) => () => list.length;

/** A supervisor of those engines; what it has logged, and how long it has waited. */
async function supervised({ start }: ReturnType<typeof engines>) {
  const lines: string[] = [];
  const waits: number[] = [];
  const service = await supervise({
    start,
    log: (line) => lines.push(line),
    clock: () => 0,
    wait: async (ms) => void waits.push(ms),
  });
  return { service, lines, waits };
}

describe("a supervisor", () => {
  it("starts an engine that ends by itself again, on the ports of the first", async () => {
    const all = engines();
    const { service, lines } = await supervised(all);
    all.started[0]?.end(1);
    await expect.poll(count(all.started)).toBe(2);
    expect(all.started[1]?.ports).toEqual(service.ports);
    await expect
      .poll(() => lines)
      .toEqual(["The engine ended by itself (code 1). Restarting it.", "The engine is back."]);
    await service.stop();
    expect(all.started.length).toBe(2);
  });

  it("restarts it at most five times a minute, waits if it ends more often, and never gives up", async () => {
    const all = engines();
    const { service, lines, waits } = await supervised(all);
    for (let n = 0; n < 7; n += 1) {
      await expect.poll(count(all.started)).toBe(n + 1);
      all.started[n]?.end(137);
    }
    await expect.poll(count(all.started)).toBe(8);
    expect(waits).toEqual([60_000, 60_000]);
    expect(lines).toContain("The engine ended by itself (code 137). Restarting it in 60 s.");
    await service.stop();
  });

  it("tries again if a restart fails, and says why", async () => {
    const all = engines();
    const { service, lines } = await supervised(all);
    all.fail(new StartupError("Port 8787 is in use."));
    all.started[0]?.end(1);
    await expect.poll(count(all.started)).toBe(2);
    expect(lines).toContain("The engine could not be started: Port 8787 is in use. Restarting it.");
    await service.stop();
  });

  it("stops an engine that comes back only after it was told to stop", async () => {
    const all = engines();
    const held = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const service = await supervise({
      start: async (ports) => {
        if (ports !== undefined) {
          asked.resolve();
          await held.promise;
        }
        return all.start(ports);
      },
      log: () => undefined,
      clock: () => 0,
      wait: async () => undefined,
    });
    all.started[0]?.end(1);
    await asked.promise;
    const stopped = service.stop();
    held.resolve();
    await stopped;
    expect(all.started.length).toBe(2);
  });

  it("does not restart an engine that it has stopped", async () => {
    const all = engines();
    const { service } = await supervised(all);
    await service.stop();
    await service.stop();
    expect(all.started.length).toBe(1);
  });
});

describe("restarts", () => {
  it("are five in any minute, and the next ones wait", () => {
    let now = 0;
    const restarts = new Restarts(() => now);
    const waits: number[] = [];
    for (now = 0; now < 70_000; now += 10_000) waits.push(restarts.next());
    expect(waits).toEqual([0, 0, 0, 0, 0, 10_000, 10_000]);
  });
});
