/** Bugs that a protocol like this one might have. The explorer is tried on them: it has to find each. */

import { hasName } from "../../../src/registry/living.ts";
import { step } from "../../../src/registry/step.ts";
import type { Effect, Input, Operation, Step, Stepped } from "../../../src/registry/protocol.ts";
import type { Rules } from "./actions.ts";
import type { VIOLATIONS } from "./invariants.ts";
import type { Bounds } from "./world.ts";

/** The protocol as it is. */
export const RULES: Rules = { step, rearm: true, mark: "always", gate: true, arm: true, hasName };

/** What is allowed if a bug needs no more. */
export const SMALL: Bounds = {
  names: 1,
  operations: 2,
  crashes: 1,
  deadlines: 1,
  exits: 0,
  restarts: 0,
  lostAlarms: 0,
  resends: 0,
  probes: 0,
  reports: 0,
  incarnations: 3,
};

export interface Bug {
  readonly rules: Partial<Rules>;
  /** Beside {@link SMALL}. */
  readonly bounds?: Partial<Bounds>;
  /** What is violated first. */
  readonly violates: keyof typeof VIOLATIONS;
  /** The number of actions in the shortest trace. */
  readonly trace: number;
}

/** The step with another input. */
const hearing = (other: (input: Input, state: Parameters<Step>[0]) => Input): { readonly step: Step } => ({
  step: (state, input) => step(state, other(input, state)),
});

/** The step with another result. */
const doing = (
  other: (stepped: Stepped, before: Parameters<Step>[0], input: Input) => Stepped,
): { readonly step: Step } => ({
  step: (state, input) => other(step(state, input), state, input),
});

/** Asks the object of a row that was cut off to start. */
const starting = (kind: Operation["kind"]): { readonly step: Step } => ({
  step: (state, input) => {
    const { row, operations } = state;
    const isCutOff = row?.state === "starting" && operations.length === 0;
    if (!isCutOff || input.is !== "asked" || input.operation.kind !== kind) return step(state, input);
    const asked = { what: "start", incarnation: row.incarnation } as const;
    return {
      state: { ...state, operations: [{ ...input.operation, asked }] },
      effects: [{ does: "send", ...asked }],
    };
  },
});

/** What a bucket hears whose create is under way, instead of waiting for it. */
const early =
  (instead: "yes" | "no"): typeof hasName =>
  (state, incarnation) => {
    const has = hasName(state, incarnation);
    return has === "wait" ? instead : has;
  };

const isDown = (effect: Effect): boolean => effect.does === "record" && effect.event === "DOWN";
const stops = ({ effects }: Stepped): boolean =>
  effects.some((effect) => effect.does === "send" && effect.what === "stop");
const down = (incarnation: string): Effect => ({ does: "record", event: "DOWN", incarnation, reason: "" });

export const BUGS: Readonly<Record<string, Bug>> = {
  "a create takes over another's cut-off start (own)": {
    rules: starting("create"),
    violates: "others",
    trace: 5,
  },
  "the alarm finishes a create that was cut off (undo)": {
    rules: starting("repair"),
    violates: "unasked",
    trace: 6,
  },
  "a lookup does not wait behind a create (queue)": {
    rules: {
      step: (state, input) => {
        const { row, operations } = state;
        if (operations.length === 0 || input.is !== "asked" || input.operation.kind !== "lookup")
          return step(state, input);
        const { effects } = step({ ...state, operations: [] }, input);
        return { state: { ...state, row }, effects };
      },
    },
    violates: "unasked",
    trace: 5,
  },
  "a lost alarm is not set again (rearm)": {
    rules: { rearm: false },
    bounds: { lostAlarms: 1 },
    violates: "stuck",
    trace: 4,
  },
  "an object does not remember its end (mark)": {
    rules: { mark: "never" },
    bounds: { resends: 1 },
    violates: "leaked",
    trace: 8,
  },
  "an object remembers its end after a stop only (mark)": {
    rules: { mark: "after a stop" },
    bounds: { resends: 1, exits: 1 },
    violates: "revived",
    trace: 7,
  },
  "answers do not wait for the disk (gate)": { rules: { gate: false }, violates: "dead", trace: 5 },
  "the check is not written with the row (arm)": { rules: { arm: false }, violates: "stuck", trace: 2 },
  "a stop does not mark the row before the object is asked": {
    rules: doing((stepped, before) =>
      stops(stepped) && before.row?.state === "running"
        ? {
            state: { ...stepped.state, row: before.row },
            effects: stepped.effects.filter(({ does }) => does !== "move"),
          }
        : stepped,
    ),
    violates: "dead",
    trace: 5,
  },
  "a stop frees the name before the object is wiped": {
    rules: doing((stepped) => {
      const { row } = stepped.state;
      if (!stops(stepped) || row?.state !== "stopping") return stepped;
      const effects = [...stepped.effects, { does: "remove" } as const, down(row.incarnation)];
      return { state: { ...stepped.state, row: null }, effects };
    }),
    violates: "killed",
    trace: 4,
  },
  "a create is confirmed before its object is started": {
    rules: doing((stepped) => {
      const start = stepped.effects.find((effect) => effect.does === "send" && effect.what === "start");
      if (start?.does !== "send") return stepped;
      const row = { incarnation: start.incarnation, state: "running", attempts: 0, restarts: 0 } as const;
      return { ...stepped, state: { ...stepped.state, row } };
    }),
    violates: "dead",
    trace: 1,
  },
  "no reply to a start counts as none having started": {
    rules: hearing((input) =>
      input.is === "said" && input.what === "start" && input.outcome === "unknown"
        ? { ...input, outcome: "noproc" }
        : input,
    ),
    violates: "two",
    trace: 4,
  },
  "no reply to a stop counts as a stop": {
    rules: hearing((input) =>
      input.is === "said" && input.what === "stop" && input.outcome === "unknown"
        ? { ...input, outcome: "ok" }
        : input,
    ),
    violates: "revived",
    trace: 5,
  },
  "a late reply counts for the request that is under way": {
    rules: hearing((input, { operations: [first] }) =>
      input.is === "said" && first?.asked !== undefined && input.what === first.asked.what
        ? { ...input, incarnation: first.asked.incarnation }
        : input,
    ),
    bounds: { operations: 3 },
    violates: "dead",
    trace: 5,
  },
  "a notice of an earlier bucket frees the name of the present one": {
    rules: hearing((input, { row }) =>
      input.is === "down" && row !== null ? { ...input, incarnation: row.incarnation } : input,
    ),
    bounds: { operations: 3, exits: 1 },
    violates: "killed",
    trace: 8,
  },
  "a verdict on an earlier bucket is applied to the present one": {
    rules: hearing((input, { row }) =>
      input.is === "probed" && row !== null ? { ...input, seen: row } : input,
    ),
    bounds: { operations: 3, probes: 1 },
    violates: "dead",
    trace: 7,
  },
  "a bucket that does not answer a probe counts as ended": {
    rules: hearing((input) =>
      input.is === "probed" && input.verdict.kind === "suspect"
        ? { ...input, verdict: { kind: "free", reason: "timeout" } }
        : input,
    ),
    bounds: { probes: 1 },
    violates: "killed",
    trace: 5,
  },
  "a create that is undone is reported as an end": {
    rules: doing((stepped, before) => {
      const { effects } = stepped;
      const isUndone = effects.some(({ does }) => does === "remove") && !effects.some(isDown);
      if (!isUndone || before.row === null) return stepped;
      return { ...stepped, effects: [...effects, down(before.row.incarnation)] };
    }),
    violates: "downUnborn",
    trace: 5,
  },
  "a stop writes no event": {
    rules: doing((stepped, _, input) =>
      input.is === "said"
        ? { ...stepped, effects: stepped.effects.filter((effect) => !isDown(effect)) }
        : stepped,
    ),
    violates: "downMissing",
    trace: 6,
  },
  "a bucket that asks while it is being created is told that it has no name (orphan)": {
    rules: { hasName: early("no") },
    bounds: { reports: 1 },
    violates: "dead",
    trace: 6,
  },
  "a bucket that asks while it is being created is told that it has its name (orphan)": {
    rules: { hasName: early("yes") },
    bounds: { reports: 1 },
    violates: "leaked",
    trace: 5,
  },
  "a bucket that has ended before its create was confirmed gets the name": {
    rules: hearing((input, { row }) =>
      input.is === "down" && row === null ? { ...input, incarnation: "none" } : input,
    ),
    bounds: { exits: 1 },
    violates: "dead",
    trace: 5,
  },
  "a restart that is reported twice counts twice": {
    rules: doing((stepped, before, input) =>
      input.is === "restarted" && before.row !== null
        ? step({ ...before, row: { ...before.row, restarts: 0 } }, input)
        : stepped,
    ),
    bounds: { restarts: 1 },
    violates: "restartedTwice",
    trace: 6,
  },
};
