/** Paths that the explorer has found, on the real registry and buckets: they do what the model says. */

import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { isLiving } from "../../src/model/registration.ts";
import type { Input, Operation } from "../../src/registry/protocol.ts";
import type { Action } from "./explore/actions.ts";
import { RULES, SMALL } from "./explore/bugs.ts";
import { explore } from "./explore/explore.ts";
import type { Name } from "./explore/world.ts";
import { seeded } from "../support/objects.ts";
import { replay } from "../support/replay.ts";

const BOUNDS = { ...SMALL, exits: 1, lostAlarms: 1 };

afterEach(() => void (seeded.bug = undefined));
// What is made to fail is logged by those who meet it.
beforeAll(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));

/** A state and an input, as far as a step looks at them. */
function pairOf({ row, operations }: Name, input: Input): string {
  const begun = operations[0]?.asked?.incarnation;
  const about = (incarnation: string): string =>
    incarnation === row?.incarnation ? "present" : incarnation === begun ? "begun" : "former";
  const waits = ({ kind, tries, asked }: Operation): string =>
    [kind, tries, asked && `${asked.what} ${about(asked.incarnation)}`, asked?.ended && "ended"]
      .filter(Boolean)
      .join(" ");
  const what =
    input.is === "asked"
      ? input.operation.kind
      : [
          input.is,
          "what" in input && `${input.what} ${input.outcome}`,
          "incarnation" in input && about(input.incarnation),
        ]
          .filter(Boolean)
          .join(" ");
  const state = row === null ? "free" : isLiving(row) ? "living" : row.state;
  return `${state} [${operations.map(waits).join(", ")}] ${what}`;
}

/**
 * Not replayed: the test environment hangs when a registry is made to end after it has held a notice, or when its alarm has
 * run.
 */
function hangs(path: readonly Action[]): boolean {
  const from = path.findIndex(({ does }) => does === "exit" || does === "alarm");
  return from >= 0 && path.slice(from).some((action) => action.does === "crash" || "crash" in action);
}

/** For each pair of the explored graph a shortest path to it. */
function pathsToPairs(): Map<string, readonly Action[]> {
  const paths = new Map<string, readonly Action[]>();
  const all = new Set<string>();
  const ran = (name: Name, input: Input, path: () => readonly Action[]): void => {
    const pair = pairOf(name, input);
    all.add(pair);
    if (paths.has(pair)) return;
    const way = path();
    if (!hangs(way)) paths.set(pair, way);
  };
  const { violation } = explore(BOUNDS, RULES, { ran });
  expect(violation).toBeUndefined();
  // The reply to the repair of a registry that has ended since, which changes nothing.
  const missing = [...all].filter((pair) => !paths.has(pair) && !pair.endsWith(" said stop ok former"));
  expect(missing).toEqual([]);
  return paths;
}

/** Those that no other path goes on from: the others are replayed with them. */
function longest(paths: readonly (readonly Action[])[]): (readonly Action[])[] {
  const keys = new Map(paths.map((path) => [JSON.stringify(path).slice(0, -1), path]));
  return [...keys]
    .filter(([key]) => ![...keys.keys()].some((other) => other.startsWith(`${key},`)))
    .map(([, path]) => path);
}

describe("the real objects", () => {
  it(
    "do what the model says on a way to every pair of a state and an input",
    { timeout: 300_000 },
    async () => {
      const pairs = pathsToPairs();
      const paths = longest([...pairs.values()]);
      expect(pairs.size).toBeGreaterThan(150);
      for (const path of paths) await replay(BOUNDS, path);
      console.log(
        `replayed: ${pairs.size} pairs of a state and an input, on ${paths.length} paths of up to ${Math.max(...paths.map(({ length }) => length))} actions`,
      );
    },
  );

  it("are caught if they do not", async () => {
    const stop: Action[] = [
      { does: "ask", at: 0, kind: "create", options: "A" },
      { does: "deliver", at: 0, message: { is: "start", n: 0 } },
      { does: "deliver", at: 0, message: { is: "said", what: "start", n: 0, outcome: "ok" } },
      { does: "ask", at: 0, kind: "stop" },
    ];
    await replay(BOUNDS, stop);
    seeded.bug = "freed before the wipe";
    await expect(replay(BOUNDS, stop)).rejects.toThrow("a: stop is asked for\nthe row");
  });
});
