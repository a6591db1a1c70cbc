/**
 * The registry's protocol (src/registry/step.ts), in every interleaving of a few operations. It is pure, and runs outside
 * workerd, where the large bounds have enough memory.
 */

import { describe, expect, inject, it } from "vitest";
import { type Bug, BUGS, RULES, SMALL } from "./bugs.ts";
import { explore, type Explored, inLines } from "./explore.ts";
import { VIOLATIONS } from "./invariants.ts";
import type { Bounds } from "./world.ts";

const explored = inject("sizes").explored;

/** Bounds, and the smallest run that explores them. */
const BOUNDS: readonly (readonly [typeof explored, Partial<Bounds>])[] = [
  ["small", { names: 2 }],
  ["small", { resends: 1, crashes: 0 }],
  ["small", { operations: 3 }],
  ["small", { lostAlarms: 1, exits: 1 }],
  ["small", { probes: 1, restarts: 1, exits: 1, crashes: 0 }],
  ["small", { reports: 1, exits: 1, crashes: 0 }],
  ["small", { reports: 1 }],
  ["medium", { operations: 3, exits: 1 }],
  ["medium", { resends: 1, exits: 1 }],
  ["medium", { probes: 1, restarts: 1, exits: 1 }],
  ["medium", { reports: 2, resends: 1 }],
  ["medium", { names: 2, operations: 3 }],
  ["large", { operations: 3, exits: 1, lostAlarms: 1 }],
  ["large", { operations: 3, exits: 1, reports: 1 }],
  ["large", { operations: 3, exits: 1, resends: 1 }],
  ["large", { names: 2, operations: 3, exits: 1 }],
];

const SIZES = ["small", "medium", "large"];

const inShort = (bounds: Partial<Bounds>): string =>
  Object.entries(bounds)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${what} ${count}`)
    .join(", ");

const report = (bounds: Bounds, { states, edges, seconds }: Explored): string =>
  `explored: ${states} states, ${edges} edges, ${seconds} s; ${inShort(bounds)}`;

describe("the registry's protocol", () => {
  it.each(
    BOUNDS.filter(([size]) => SIZES.indexOf(size) <= SIZES.indexOf(explored)).map(
      ([, bounds]) => [inShort(bounds), { ...SMALL, ...bounds }] as const,
    ),
  )(
    "keeps invariants 1, 2, 4, 5 and 6 in every interleaving, with lost, late and repeated messages, crashes, deadlines (%s)",
    { timeout: 600_000 },
    (_, bounds) => {
      const found = explore(bounds, RULES);
      console.log(report(bounds, found));
      expect(found.violation && inLines(found.violation)).toBeUndefined();
    },
  );
});

describe("a protocol with a bug is caught", () => {
  it.each(Object.entries(BUGS))("%s", (_, { rules, bounds, violates, trace }: Bug) => {
    const { violation } = explore({ ...SMALL, ...bounds }, { ...RULES, ...rules });
    expect(violation?.what).toBe(VIOLATIONS[violates]);
    // Breadth first: no trace is shorter.
    expect(violation?.trace, violation && inLines(violation)).toHaveLength(trace);
  });

  it("with the fewest actions that show it, in words", () => {
    const rules = { ...RULES, ...BUGS["a lookup does not wait behind a create (queue)"]?.rules };
    const { violation } = explore(SMALL, rules);
    expect(violation && inLines(violation)).toBe(
      [
        "a: create A is asked for",
        "a: object 0 hears start",
        "a: the caller of a create gives up",
        "a: lookup is asked for",
        "a: the registry hears that start of 0 was answered: ok",
        "=> 1: a name that was NOT FOUND exists, and nobody has asked for it",
      ].join("\n"),
    );
  });
});
