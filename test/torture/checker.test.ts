/** The checker of linearizability is tried itself: on histories made by hand, and on thousands of small random ones. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLegal } from "./check/brute-force.ts";
import type { Call, Operation, Result } from "./check/history.ts";
import { check } from "./check/linearizable.ts";
import { shrink } from "./check/shrink.ts";
import { EMPTY, outcome } from "./check/store-model.ts";

const call = (asked: number, answered: number, operation: Operation, result?: Result): Call =>
  result === undefined
    ? { caller: 0, asked, answered: Infinity, operation }
    : { caller: 0, asked, answered, operation, result };

const put = (value: string, key = "a"): Operation => ({ does: "put", key, value });
const get = (key = "a"): Operation => ({ does: "get", key });
const both = (value: string): Operation => ({ does: "both", keys: ["a", "b"], value });

describe("a history by hand", () => {
  it.each<[string, readonly Call[]]>([
    ["of nothing", []],
    ["of a put and a later get", [call(0, 1, put("1"), true), call(2, 3, get(), "1")]],
    ["of a get during a put, before it", [call(0, 9, put("1"), true), call(1, 2, get(), null)]],
    ["of a get during a put, after it", [call(0, 9, put("1"), true), call(1, 2, get(), "1")]],
    [
      "of a put without an answer, seen much later",
      [call(0, 0, put("1")), call(1, 2, get(), null), call(8, 9, get(), "1")],
    ],
    ["of a put without an answer, never seen", [call(0, 0, put("1")), call(8, 9, get(), null)]],
    [
      "of an increment without an answer",
      [call(0, 0, { does: "increment", key: "a" }), call(1, 2, get(), "1")],
    ],
    [
      "of a transaction seen whole",
      [call(0, 1, both("1"), true), call(2, 3, { does: "list" }, { a: "1", b: "1" })],
    ],
    [
      "of two adds, of which one was done",
      [
        call(0, 9, { does: "add", key: "a", value: "1" }, true),
        call(0, 9, { does: "add", key: "a", value: "2" }, false),
      ],
    ],
  ])("%s is legal", (_, history) => {
    expect(isLegal(history)).toBe(true);
    expect(check(history)).toBe("legal");
  });

  it.each<[string, readonly Call[]]>([
    ["that misses an acknowledged put", [call(0, 1, put("1"), true), call(2, 3, get(), null)]],
    ["that goes back", [call(0, 9, put("1"), true), call(1, 2, get(), "1"), call(3, 4, get(), null)]],
    [
      "in which a put without an answer comes and goes",
      [call(0, 0, put("1")), call(1, 2, get(), "1"), call(3, 4, get(), null)],
    ],
    ["that sees what none wrote", [call(0, 1, get(), "7")]],
    [
      "that sees half of a transaction",
      [call(0, 1, both("1"), true), call(2, 3, { does: "list" }, { a: "1" })],
    ],
    [
      "of two adds that were both done",
      [
        call(0, 9, { does: "add", key: "a", value: "1" }, true),
        call(0, 9, { does: "add", key: "a", value: "2" }, true),
      ],
    ],
    [
      "of one value that was taken twice",
      [
        call(0, 1, put("1"), true),
        call(2, 9, { does: "take", key: "a" }, "1"),
        call(2, 9, { does: "take", key: "a" }, "1"),
      ],
    ],
    [
      "of two increments with one sum",
      [call(0, 9, { does: "increment", key: "a" }, "1"), call(0, 9, { does: "increment", key: "a" }, "1")],
    ],
    [
      "in which a replace of an old value was done",
      [
        call(0, 1, put("1"), true),
        call(2, 3, put("2"), true),
        call(4, 5, { does: "replace", key: "a", expected: "1", value: "3" }, true),
      ],
    ],
  ])("%s is illegal", (_, history) => {
    expect(isLegal(history)).toBe(false);
    expect(check(history)).toBe("illegal");
  });

  it("that takes too long to check is unknown, and not legal", () => {
    const puts = Array.from({ length: 12 }, (_, n) => call(0, 9, put(String(n)), true));
    expect(check([...puts, call(10, 11, get(), "none of them")], 1_000)).toBe("unknown");
  });
});

const KEYS = ["a", "b"];

/** Operations with random times, carried out in the order of a random moment of each: a legal history. */
const legalHistory = fc
  .array(
    fc.record({
      asked: fc.nat({ max: 20 }),
      before: fc.nat({ max: 6 }),
      after: fc.nat({ max: 6 }),
      key: fc.constantFrom(...KEYS),
      does: fc.constantFrom("get", "put", "delete", "take", "increment", "add", "replace", "both", "list"),
      isLost: fc.nat({ max: 7 }).map((n) => n === 0),
      expected: fc.nat({ max: 6 }),
    }),
    { minLength: 2, maxLength: 7 },
  )
  .map((drawn) => {
    const made = drawn.map(({ asked, before, after, key, does, isLost, expected }, n) => {
      const value = String(n + 100);
      const operation = (
        does === "list"
          ? { does }
          : does === "both"
            ? { does, keys: KEYS, value }
            : does === "replace"
              ? { does, key, value, expected: String(expected + 100) }
              : does === "put" || does === "add"
                ? { does, key, value }
                : { does, key }
      ) as Operation;
      return { operation, asked: asked - before, moment: asked, answered: asked + after, isLost, caller: n };
    });
    let store = EMPTY;
    const calls = new Map<number, Call>();
    for (const { operation, asked, answered, isLost, caller } of made.toSorted(
      (a, b) => a.moment - b.moment,
    )) {
      const done = outcome(store, operation);
      ({ store } = done);
      calls.set(
        caller,
        isLost
          ? { caller, asked, answered: Infinity, operation }
          : { caller, asked, answered, operation, result: done.result },
      );
    }
    return [...calls.values()];
  });

/** The history with the answer of one operation changed to that of another, or to none, or with other times. */
const mutated = fc
  .tuple(legalHistory, fc.nat(), fc.nat(), fc.constantFrom("answer", "null", "later"))
  .map(([history, one, other, how]) => {
    const at = one % history.length;
    return history.map((each, n) => {
      if (n !== at || each.result === undefined) return each;
      if (how === "later") return { ...each, asked: each.asked + 9, answered: each.answered + 9 };
      const result = how === "null" ? null : history[other % history.length]?.result;
      return result === undefined ? each : { ...each, result };
    });
  });

describe("thousands of small random histories", () => {
  it("that are legal are found legal", () => {
    fc.assert(
      fc.property(legalHistory, (history) => {
        expect(isLegal(history)).toBe(true);
        expect(check(history)).toBe("legal");
      }),
      { numRuns: 1_000 },
    );
  });

  it("that were changed are found illegal exactly if no order agrees with them", () => {
    let illegal = 0;
    fc.assert(
      fc.property(mutated, (history) => {
        const legal = isLegal(history);
        if (!legal) illegal += 1;
        expect(check(history)).toBe(legal ? "legal" : "illegal");
      }),
      { numRuns: 3_000 },
    );
    console.log(`checker: ${illegal} of 3000 mutated histories are illegal, and all of them were refused`);
    expect(illegal).toBeGreaterThan(500);
  });

  it("that are illegal are shortened to one that is illegal, and of the same operations", () => {
    fc.assert(
      fc.property(mutated, (history) => {
        if (isLegal(history)) return;
        const short = shrink(history);
        expect(isLegal(short)).toBe(false);
        expect(short.length).toBeLessThanOrEqual(history.length);
      }),
      { numRuns: 500 },
    );
  });
});
