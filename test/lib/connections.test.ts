/** Places for connections, before and after login. */

import { describe, expect, it } from "vitest";
import { Connections } from "../../src/lib/connections.ts";

const quiet = { goodbye: () => undefined };

function limited(limit: number): Connections {
  const connections = new Connections();
  connections.limit = limit;
  return connections;
}

describe("connections", () => {
  it("have as many places as there are, and a place that is left is free", () => {
    const connections = limited(2);
    const first = connections.enter(quiet);
    expect(connections.enter(quiet)).toBeDefined();
    expect(connections.full).toBe(true);
    expect(connections.enter(quiet)).toBeUndefined();
    first?.leave();
    first?.leave();
    expect(connections.enter(quiet)).toBeDefined();
    expect(connections.enter(quiet)).toBeUndefined();
  });

  it("that have not shown a token have a quarter of the places, until they have", () => {
    const connections = limited(8);
    const stranger = { ...quiet, stranger: true };
    const first = connections.enter(stranger);
    connections.enter(stranger);
    expect(connections.enter(stranger)).toBeUndefined();
    expect(connections.enter(quiet)).toBeDefined();
    first?.admit();
    expect(connections.enter(stranger)).toBeDefined();
    expect(connections.enter(stranger)).toBeUndefined();
  });

  it("that objects hold take places too", () => {
    const connections = limited(3);
    connections.hold("object", 2);
    connections.holdMore("object", 1);
    expect([connections.full, connections.holders]).toEqual([true, ["object"]]);
    connections.holdMore("object", -1);
    expect(connections.enter(quiet)).toBeDefined();
    connections.hold("object", 0);
    connections.holdMore("object", -1);
    expect(connections.holders).toEqual([]);
  });

  it("that broke keep their places until the engine lets go of them", () => {
    const gone: (() => void)[] = [];
    const connections = new Connections((_, told) => gone.push(told));
    connections.limit = 2;
    connections.wake("object", 2);
    connections.breakOff("object", {});
    connections.breakOff("object", {});
    expect([connections.full, connections.holders]).toEqual([true, ["object"]]);
    connections.hold("object", 0);
    expect(connections.full).toBe(true);
    gone[0]?.();
    expect([connections.full, connections.holders]).toEqual([false, ["object"]]);
    gone[1]?.();
    expect(connections.holders).toEqual([]);
  });

  it("that broke are gone with their object, and are not given back twice", () => {
    const gone: (() => void)[] = [];
    const connections = new Connections((_, told) => gone.push(told));
    connections.limit = 2;
    connections.wake("object", 1);
    connections.breakOff("object", {});
    connections.wake("object", 1);
    gone[0]?.();
    expect([connections.full, connections.holders]).toEqual([false, ["object"]]);
    connections.holdMore("object", 1);
    expect(connections.full).toBe(true);
  });

  it("of an object are clogged by many that broke, or by one where places run out", () => {
    const connections = new Connections(() => undefined);
    connections.limit = 80;
    connections.wake("object", 12);
    for (let n = 0; n < 9; n += 1) connections.breakOff("object", {});
    expect(connections.isClogged("object")).toBe(false);
    connections.breakOff("object", {});
    expect(connections.isClogged("object")).toBe(true);
    connections.wake("object", 0);
    expect(connections.isClogged("object")).toBe(false);

    connections.wake("another", 70);
    expect(connections.isClogged("another")).toBe(false);
    connections.breakOff("another", {});
    expect(connections.isClogged("another")).toBe(true);
  });

  it("are told once that the server ends, and those that have left are not", async () => {
    const connections = limited(3);
    const told: string[] = [];
    connections.enter({ goodbye: () => told.push("there") });
    connections.enter({ goodbye: () => told.push("gone") })?.leave();
    connections.sayGoodbye();
    connections.sayGoodbye();
    await Promise.resolve();
    expect(told).toEqual(["there"]);
  });
});
