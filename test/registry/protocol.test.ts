/** The protocol about one name: what a single input does. test/registry/explore has every interleaving of many. */

import { describe, expect, it } from "vitest";
import { step } from "../../src/registry/step.ts";
import type { Effect, Input, Row, State, Stepped } from "../../src/registry/protocol.ts";
import type { Verdict } from "../../src/registry/liveness.ts";

const totals = { entries: 1, bytes: 2, revision: 3 };
const running: Row = { incarnation: "aaaa", state: "running", attempts: 0, restarts: 0 };
const stopping: Row = { ...running, state: "stopping" };
const stateOf = (row: Row | null): State => ({ row, operations: [], next: "bbbb" });
const tell = (row: Row | null, input: Input): Stepped => step(stateOf(row), input);
const judge = (row: Row | null, seen: Row, verdict: Verdict): Stepped =>
  tell(row, { is: "probed", seen, verdict });
const givenUp: Input = {
  is: "restarted",
  incarnation: "aaaa",
  reason: "boom",
  restarts: 4,
  givenUp: true,
};
const unreachable = tell(running, givenUp).state.row as Row;

/** The kinds of the events that a step records. */
const events = ({ effects }: Stepped): string[] =>
  effects.flatMap((effect) => (effect.does === "record" ? [effect.event] : []));
const does = (effects: readonly Effect[]): string[] => effects.map((effect) => effect.does);

describe("an end", () => {
  const down: Input = { is: "down", incarnation: "aaaa", reason: "normal" };

  it("frees the name once, however often it is heard, and never that of a bucket which has the name by then", () => {
    const freed = tell(running, down);
    expect([freed.state.row, does(freed.effects)]).toEqual([null, ["remove", "record"]]);
    expect(tell(null, down).effects).toEqual([]);
    expect(tell({ ...running, incarnation: "successor" }, down).effects).toEqual([]);
  });

  it("of a bucket whose create was never confirmed is no event", () => {
    const freed = tell({ ...running, state: "starting" }, down);
    expect([freed.state.row, does(freed.effects)]).toEqual([null, ["remove"]]);
  });
});

describe("a create", () => {
  const create = (row: Row | null = null): Stepped =>
    tell(row, { is: "asked", operation: { kind: "create", asker: 1 } });
  const said = (before: Stepped, outcome: "ok" | "noproc" | "refused" | "unknown"): Stepped =>
    step({ ...before.state, next: "cccc" }, { is: "said", what: "start", incarnation: "bbbb", outcome });
  const restart: Input = {
    is: "restarted",
    incarnation: "bbbb",
    reason: "boom",
    restarts: 1,
    givenUp: false,
  };

  it("writes nothing before the object has replied, and its row and event in one step", () => {
    expect(create().effects).toEqual([{ does: "send", what: "start", incarnation: "bbbb" }]);
    const created = said(create(), "ok");
    expect(does(created.effects)).toEqual(["insert", "record", "answer"]);
    expect(created.state).toMatchObject({ row: { incarnation: "bbbb", state: "running" }, operations: [] });
  });

  it("that gets no reply leaves a row which is undone; one that is refused leaves nothing, for nothing was done", () => {
    const unknown = said(create(), "unknown");
    expect([unknown.state.row?.state, does(unknown.effects)]).toEqual(["starting", ["insert", "answer"]]);
    expect(create(unknown.state.row).effects).toEqual([{ does: "send", what: "stop", incarnation: "bbbb" }]);
    const refused = said(create(), "refused");
    expect([refused.state.row, does(refused.effects)]).toEqual([null, ["answer"]]);
  });

  it("whose object ends before it has replied begins anew, with no event", () => {
    const ended = step(create().state, { is: "down", incarnation: "bbbb", reason: "normal" });
    expect(ended.effects).toEqual([]);
    for (const outcome of ["ok", "noproc", "unknown"] as const)
      expect(said(ended, outcome).effects).toEqual([{ does: "send", what: "start", incarnation: "cccc" }]);
    // Not that of another one.
    const other = step(create().state, { is: "down", incarnation: "aaaa", reason: "normal" });
    expect(does(said(other, "ok").effects)).toEqual(["insert", "record", "answer"]);
  });

  it("whose object was restarted before it has replied counts that", () => {
    const again = said(step(create().state, restart), "ok");
    expect([events(again), again.state.row?.restarts]).toEqual([["created", "RESTARTED"], 1]);
    expect(again.effects.at(-1)).toMatchObject({ does: "answer", answer: { row: { restarts: 1 } } });
    // Nobody has heard of one that is to be undone.
    const undone = said(create(), "unknown");
    expect(step(undone.state, restart).effects).toEqual([]);
  });
});

describe("a verdict that comes late", () => {
  it("“gone” does not free a name whose stop is under way: that has the reason", () => {
    expect(judge(stopping, running, { kind: "free", reason: "noproc" }).effects).toEqual([]);
    expect(judge(null, running, { kind: "free", reason: "noproc" }).effects).toEqual([]);
  });

  it("“alive” does not take back that the bucket was given up on", () => {
    expect(events(tell(running, givenUp))).toEqual(["RESTARTED", "unreachable"]);
    expect(unreachable).toMatchObject({ state: "unreachable", attempts: 3, restarts: 4 });
    expect(judge(unreachable, running, { kind: "alive", totals }).effects).toEqual([]);
  });

  it("“failed” does not make one suspect that is unreachable, or was found well, since", () => {
    expect(judge(unreachable, running, { kind: "suspect", reason: "timeout" }).effects).toEqual([]);
    const well = judge(unreachable, unreachable, { kind: "alive", totals });
    expect([well.state.row?.state, events(well)]).toEqual(["running", ["reachable"]]);
    expect(well.effects).toContainEqual({ does: "note", totals });
    expect(judge(well.state.row, unreachable, { kind: "unreachable", reason: "timeout" }).effects).toEqual(
      [],
    );
  });

  it("leaves the reason of a bucket that was given up on, however often it is looked at", () => {
    const again = judge(unreachable, unreachable, { kind: "unreachable", reason: undefined });
    expect(again.effects).toEqual([{ does: "move", to: { ...unreachable, attempts: 4 }, reason: undefined }]);
  });

  it("of a bucket that has lost its name moves nothing", () => {
    const successor = { ...running, incarnation: "bbbb" };
    for (const verdict of [
      { kind: "free", reason: "noproc" },
      { kind: "alive", totals },
      { kind: "suspect", reason: "timeout" },
    ] as const) {
      expect(judge(successor, running, verdict)).toEqual({ state: stateOf(successor), effects: [] });
    }
  });
});
