/** A budget: memory for each holder and for all. */

import { describe, expect, it } from "vitest";
import { Budget } from "../../src/lib/budget.ts";

describe("a budget", () => {
  it("bounds what each holder keeps", () => {
    const held = new Budget({ each: 10, all: 100, share: 1 }).hold();
    expect(held.keep(10)).toBe(true);
    expect(held.hasRoomFor(1)).toBe(false);
    expect(held.add(1)).toBe(false);
    expect(held.keep(0)).toBe(true);
  });

  it("bounds what all keep together, and lets those go on who keep little", () => {
    const budget = new Budget({ each: 10, all: 20, share: 2 });
    const [first, second, greedy, modest] = [budget.hold(), budget.hold(), budget.hold(), budget.hold()];
    expect([first.keep(10), second.keep(10)]).toEqual([true, true]);
    expect(greedy.hasRoomFor(3)).toBe(false);
    expect(greedy.keep(3)).toBe(false);
    expect(modest.keep(2)).toBe(true);
    greedy.keep(0);
    first.keep(0);
    expect(budget.used).toBe(12);
    expect(greedy.keep(8)).toBe(true);
  });
});
