/** Tasks that run one after the other, for each key. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Serial } from "../../src/otp/serial.ts";

/** A promise that is settled from outside. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

describe("tasks of one key", () => {
  it("run one after the other, in the order in which they came", async () => {
    const serial = new Serial<string>();
    const first = gate();
    const log: string[] = [];
    const one = serial.run("a", async () => {
      await first.opened;
      log.push("one");
    });
    const two = serial.run("a", async () => void log.push("two"));
    first.open();
    await Promise.all([one, two]);
    expect(log).toEqual(["one", "two"]);
  });

  it("go on after one that throws, which rejects for its own caller only", async () => {
    const serial = new Serial<string>();
    const one = serial.run("a", () => Promise.reject(new Error("no")));
    const two = serial.run("a", () => Promise.resolve(2));
    await expect(one).rejects.toThrow("no");
    expect(await two).toBe(2);
  });

  it("cost nothing once they have ended", async () => {
    const serial = new Serial<string>();
    await serial.run("a", () => Promise.resolve());
    await Promise.resolve();
    expect(serial.has("a")).toBe(false);
  });
});

describe("tasks of different keys", () => {
  it("do not wait for each other", async () => {
    const serial = new Serial<string>();
    const never = gate();
    void serial.run("a", () => never.opened);
    expect(await serial.run("b", () => Promise.resolve("done"))).toBe("done");
  });
});

describe("any mix of tasks", () => {
  it("never overlaps two of one key, and keeps their order", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 30 }),
        async (s, keys) => {
          const serial = new Serial<string>();
          const running = new Set<string>();
          const ended = new Map<string, number[]>();
          const tasks = keys.map((key, index) =>
            serial.run(key, async () => {
              expect(running.has(key)).toBe(false);
              running.add(key);
              await s.schedule(Promise.resolve(), `${key}${index}`);
              running.delete(key);
              ended.set(key, [...(ended.get(key) ?? []), index]);
            }),
          );
          await s.waitFor(Promise.all(tasks));
          for (const order of ended.values()) expect(order).toEqual(order.toSorted((x, y) => x - y));
        },
      ),
    );
  });
});
