/** What can happen next in a world, and what comes of it. */

import { isLiving } from "../../../src/model/registration.ts";
import { judge } from "../../../src/registry/liveness.ts";
import type { hasName } from "../../../src/registry/living.ts";
import type { Effect, Input, Operation, Step, Stepped } from "../../../src/registry/protocol.ts";
import { answered, recorded } from "./invariants.ts";
import {
  type Alarm,
  askerNumber,
  askerOf,
  type Bounds,
  changed,
  forgetting,
  type Incarnation,
  isCutOff,
  type Message,
  type Name,
  NEW_INCARNATION,
  numberOf,
  without,
  type World,
} from "./world.ts";

/** The protocol, and the rules that are kept outside of it. A test leaves one out, or puts a bug into the step. */
export interface Rules {
  readonly step: Step;
  /** A call sets an alarm again that was lost (otp/timers.ts). */
  readonly rearm: boolean;
  /** When an object that has ended remembers that (otp/process.ts). */
  readonly mark: "always" | "after a stop" | "never";
  /** Requests and answers leave when what was written before is on disk (the platform's output gate). */
  readonly gate: boolean;
  /** Whether a bucket has its name (living.ts). */
  readonly hasName: typeof hasName;
  /** The time of the check is written in the transaction of the row (runner.ts). */
  readonly arm: boolean;
}

/** One thing that happens. `at` is the name's number; `crash`: the registry ends when the step is on disk, and nothing sent. */
export type Action =
  | {
      readonly does: "ask";
      readonly at: number;
      readonly kind: Operation["kind"];
      readonly options?: "A" | "B";
      readonly crash?: Crash;
    }
  | { readonly does: "deliver"; readonly at: number; readonly message: Message; readonly crash?: Crash }
  | { readonly does: "resend"; readonly at: number; readonly message: Message }
  | {
      readonly does: "deadline";
      readonly at: number;
      readonly what: "start" | "stop";
      readonly isLost: boolean;
      readonly crash?: Crash;
    }
  | { readonly does: "fail probe"; readonly at: number; readonly message: Message; readonly crash?: Crash }
  | { readonly does: "give up" | "probe"; readonly at: number }
  | { readonly does: "exit" | "restart" | "report"; readonly at: number; readonly n: number }
  | { readonly does: "alarm"; readonly crash?: Crash }
  | { readonly does: "crash" | "lose alarm" };

type Crash = "written, nothing sent" | "sent, nothing written";

/** Passes on an action, and the world after it. */
export type Add = (action: Action, world: World) => void;

/** Told of every step that is run. */
export type Ran = (name: Name, input: Input) => void;

export const KINDS: readonly (readonly [Operation["kind"], "A" | "B"])[] = [
  ["create", "A"],
  ["create", "B"],
  ["stop", "A"],
  ["lookup", "A"],
];

/** Gives every successor of a world. */
export class Successors {
  readonly #rules: Rules;
  readonly #bounds: Bounds;
  readonly #ran: Ran;
  #begins: (action: Action) => void = () => undefined;

  constructor(rules: Rules, bounds: Bounds, ran: Ran = () => undefined) {
    this.#rules = rules;
    this.#bounds = bounds;
    this.#ran = ran;
  }

  /**
   * All that can happen in this world.
   * @param begins told of an action before its step is run, which may violate an invariant
   * @throws {Violation}
   */
  of(world: World, add: Add, begins: (action: Action) => void = () => undefined): void {
    this.#begins = begins;
    world.names.forEach((name, at) => {
      if (world.operations > 0) this.#ask(world, at, add);
      name.net.forEach((message, index) => this.#message(world, at, message, index, add));
      this.#late(world, at, add);
      if (world.probes > 0 && name.row !== null && isLiving(name.row)) {
        const probe: Message = { is: "probe", n: numberOf(name.row.incarnation), seen: name.row };
        add({ does: "probe", at }, put({ ...world, probes: world.probes - 1 }, at, sent(name, probe)));
      }
      name.incarnations.forEach((one, n) => this.#own(world, at, one, n, add));
    });
    this.#alarm(world, add);
    if (world.crashes > 0) add({ does: "crash" }, this.#crashed(world));
    if (world.lostAlarms > 0 && world.alarm === "set")
      add({ does: "lose alarm" }, { ...world, lostAlarms: world.lostAlarms - 1, alarm: "lost" });
  }

  #ask(world: World, at: number, add: Add): void {
    const name = world.names[at] as Name;
    for (const [kind, options] of KINDS) {
      if (kind === "create" && name.incarnations.length >= this.#bounds.incarnations) continue;
      const isWanted = name.operations.some((each) => each.kind === "create" && askerOf(each.asker).heard);
      const asker = { kind, options, heard: true, clean: kind === "lookup" && !isWanted };
      const action: Action =
        kind === "create" ? { does: "ask", at, kind, options } : { does: "ask", at, kind };
      // Any call sets the alarm again that was lost.
      const alarm = world.alarm !== "lost" ? world.alarm : this.#rules.rearm ? "set" : "gone";
      const next = put(
        { ...world, operations: world.operations - 1, alarm },
        at,
        kind === "create" ? wanted(name) : name,
      );
      const operation: Operation = { kind, asker: askerNumber(asker) };
      this.#run(next, at, { is: "asked", operation }, action, add);
    }
  }

  #message(world: World, at: number, message: Message, index: number, add: Add): void {
    const name = world.names[at] as Name;
    // The same message is delivered once.
    if (name.net.findIndex((other) => isSame(other, message)) !== index) return;
    const { n } = message;
    const one = name.incarnations[n] as Incarnation;
    const rest = { ...name, net: without(name.net, index) };
    const action = { does: "deliver", at, message } as const;
    if (message.is === "start" || message.is === "stop") {
      const { is } = message;
      if (world.resends > 0)
        add(
          { does: "resend", at, message },
          put({ ...world, resends: world.resends - 1 }, at, sent(name, message)),
        );
      const [object, outcome] = this.#hears(one, is);
      add(action, put(world, at, sent(changed(rest, n, { object }), { is: "said", what: is, n, outcome })));
    } else if (message.is === "said") {
      const said = {
        is: "said",
        what: message.what,
        incarnation: String(n),
        outcome: message.outcome,
      } as const;
      this.#run(put(world, at, rest), at, said, action, add);
    } else if (message.is === "down") {
      const ended = this.#rules.mark === "always" ? "marked" : "empty";
      const object = one.object === "obituary" ? ended : one.object;
      const down: Input = { is: "down", incarnation: String(n), reason: "" };
      // Until it is acknowledged, the notice is sent again.
      this.#run(put(world, at, changed(rest, n, { object })), at, down, action, add, world);
    } else if (message.is === "restarted") {
      const restart = { reason: "", restarts: message.restarts, givenUp: false };
      this.#run(
        put(world, at, rest),
        at,
        { is: "restarted", incarnation: String(n), ...restart },
        action,
        add,
        world,
      );
    } else if (message.is === "report") {
      const { row } = name;
      const has = this.#rules.hasName(name, String(n));
      const informed = put(world, at, changed(rest, n, { known: true }));
      if (has === "no") add(action, put(world, at, sent(rest, { is: "orphan", n })));
      else if (has === "yes" && row !== null && isLiving(row) && row.restarts === message.restarts) {
        const verdict = { kind: "alive", totals: undefined } as const;
        this.#run(informed, at, { is: "probed", seen: row, verdict }, action, add);
      } else if (has === "yes") add(action, informed);
    } else if (message.is === "orphan") {
      const object = one.object === "alive" ? "marked" : one.object;
      add(action, put(world, at, changed(rest, n, { object })));
    } else if (message.is === "probe") {
      const { seen } = message;
      const [lives] = judge([
        {
          result:
            one.object === "alive" ? { kind: "alive", totals: undefined } : { kind: "gone", reason: "" },
          attempts: 0,
        },
      ]);
      const [fails] = judge([{ result: { kind: "failed", reason: undefined }, attempts: seen.attempts }]);
      const next = put(world, at, rest);
      if (lives !== undefined) this.#run(next, at, { is: "probed", seen, verdict: lives }, action, add);
      if (fails !== undefined)
        this.#run(next, at, { is: "probed", seen, verdict: fails }, { does: "fail probe", at, message }, add);
    }
  }

  /** What comes of a request to an object, and its reply. */
  #hears({ object }: Incarnation, what: "start" | "stop"): [Incarnation["object"], "ok" | "noproc"] {
    if (what === "start")
      return object === "empty" || object === "alive" ? ["alive", "ok"] : [object, "noproc"];
    // The mark of a stop before the start is older than the rule.
    return [object !== "empty" && this.#rules.mark === "never" ? "empty" : "marked", "ok"];
  }

  /** Deadlines: the registry's own, after which the request may still arrive or not; and a caller's. */
  #late(world: World, at: number, add: Add): void {
    if (world.deadlines === 0) return;
    const name = world.names[at] as Name;
    const { operations, net } = name;
    const late = { ...world, deadlines: world.deadlines - 1 };
    const asked = operations[0]?.asked;
    if (asked !== undefined) {
      const { what, incarnation } = asked;
      const n = numberOf(incarnation);
      const ours = net.findIndex(
        (message) => message.n === n && (message.is === "said" ? message.what : message.is) === what,
      );
      const said: Input = { is: "said", what, incarnation, outcome: "unknown" };
      const lost = ours < 0 ? name : { ...name, net: without(net, ours) };
      this.#run(put(late, at, lost), at, said, { does: "deadline", at, what, isLost: true }, add);
      if (net[ours]?.is === what)
        this.#run(late, at, said, { does: "deadline", at, what, isLost: false }, add);
    }
    if (operations.some((each) => each.kind === "create" && askerOf(each.asker).heard)) {
      const gone = operations.map((each) =>
        each.kind === "create"
          ? { ...each, asker: askerNumber({ ...askerOf(each.asker), heard: false }) }
          : each,
      );
      add({ does: "give up", at }, put(late, at, { ...name, operations: gone }));
    }
  }

  /** What an object does by itself. */
  #own(world: World, at: number, one: Incarnation, n: number, add: Add): void {
    if (one.object !== "alive") return;
    const name = world.names[at] as Name;
    if (world.exits > 0) {
      const ends = sent(changed(name, n, { object: "obituary", mayEnd: true }), { is: "down", n });
      add({ does: "exit", at, n }, put({ ...world, exits: world.exits - 1 }, at, ends));
    }
    if (world.reports > 0)
      add(
        { does: "report", at, n },
        put(
          { ...world, reports: world.reports - 1 },
          at,
          sent(name, { is: "report", n, restarts: one.restarts }),
        ),
      );
    if (world.restarts > 0) {
      const restarts = one.restarts + 1;
      const again = sent(changed(name, n, { restarts }), { is: "restarted", n, restarts });
      add({ does: "restart", at, n }, put({ ...world, restarts: world.restarts - 1 }, at, again));
    }
  }

  /** The alarm repairs all names that were cut off, and is set again when they have their answers. */
  #alarm(world: World, add: Add): void {
    if (world.alarm !== "set" || !world.names.some(isCutOff)) return;
    const operation: Operation = {
      kind: "repair",
      asker: askerNumber({ kind: "repair", options: "A", heard: true, clean: false }),
    };
    const go = (from: World, at: number): void => {
      const name = from.names[at];
      if (name === undefined) return add({ does: "alarm" }, this.#settled(from));
      if (!isCutOff(name)) return go(from, at + 1);
      this.#run(from, at, { is: "asked", operation }, { does: "alarm" }, (action, next) => {
        if ("crash" in action) add(action, next);
        else go({ ...next, alarm: "checking" }, at + 1);
      });
    };
    go({ ...world, alarm: "checking" }, 0);
  }

  /** Runs a step as the registry does. @param unheard the world to which a crash goes back, but for what was written */
  #run(world: World, at: number, input: Input, action: Action, add: Add, unheard = world): void {
    const name = world.names[at] as Name;
    this.#begins(action);
    this.#ran(name, input);
    const next = String(name.incarnations.length);
    const { row, operations } = name;
    const stepped = this.#rules.step({ row, operations, next }, input);
    const written = put(world, at, this.#written(name, stepped));
    const armed = { ...written, alarm: this.#armed(written.alarm, stepped.effects) };
    const done = told(armed.names[at] as Name, name, stepped);
    add(action, this.#settled(put(armed, at, { ...done, operations: stepped.state.operations })));
    if (world.crashes > 0 && stepped.effects.length > 0) {
      const { net, incarnations } = unheard.names[at] as Name;
      // What was told to the registry in vain is told again, by those who do that.
      const kept = (armed.names[at] as Name).incarnations.map((one, n) => ({
        ...one,
        object: incarnations[n]?.object ?? one.object,
      }));
      const cut = put(armed, at, { ...(armed.names[at] as Name), net, incarnations: kept });
      add({ ...action, crash: "written, nothing sent" } as Action, this.#crashed(cut));
      if (!this.#rules.gate) {
        // The new object is there all the same.
        const { incarnations: made } = written.names[at] as Name;
        const before = { ...name, incarnations: made.map((one, n) => name.incarnations[n] ?? one) };
        const { operations: begun } = stepped.state;
        const lost = put(world, at, { ...forgetting(told(before, name, stepped)), operations: begun });
        add({ ...action, crash: "sent, nothing written" } as Action, this.#crashed(lost));
      }
    }
  }

  /**
   * What a step has written, and the incarnation that it has begun. Operations are in memory, but no step runs before they
   * are there.
   */
  #written(name: Name, { state, effects }: Stepped): Name {
    let after: Name = { ...name, row: state.row };
    for (const effect of effects) {
      if (effect.does === "record") after = recorded(after, effect);
      const isNew =
        effect.does === "send" &&
        effect.what === "start" &&
        numberOf(effect.incarnation) === after.incarnations.length;
      if (!isNew) continue;
      const { options } = askerOf(state.operations[0]?.asker ?? 0);
      after = { ...after, incarnations: [...after.incarnations, { ...NEW_INCARNATION, options }] };
    }
    return after;
  }

  #armed(alarm: Alarm, effects: readonly Effect[]): Alarm {
    const arms = effects.some(
      (effect) =>
        (effect.does === "insert" && !isLiving(effect.row)) ||
        (effect.does === "move" && !isLiving(effect.to)),
    );
    return arms && alarm === "none" && this.#rules.arm ? "set" : alarm;
  }

  /** An alarm whose repairs have their answers is set again if any is left to do. */
  #settled(world: World): World {
    const isChecking = world.names.some(({ operations }) => operations.some(({ kind }) => kind === "repair"));
    if (world.alarm !== "checking" || isChecking) return world;
    return { ...world, alarm: world.names.some(isCutOff) ? "set" : "none" };
  }

  /** The registry's memory is gone, and it wakes again: rows are the truth. */
  #crashed(world: World): World {
    const names = world.names.map((name) => ({
      ...forgetting(name),
      operations: [],
      net: name.net.filter(({ is }) => is !== "said" && is !== "probe"),
    }));
    const isDue = names.some(isCutOff) && this.#rules.arm;
    const wakes = world.alarm === "lost" ? (this.#rules.rearm ? "set" : "gone") : world.alarm;
    const alarm = wakes === "checking" || wakes === "none" ? (isDue ? "set" : "none") : wakes;
    return { ...world, names, crashes: world.crashes - 1, alarm };
  }
}

/** Requests leave, and answers reach their callers. */
function told(after: Name, before: Name, { effects }: Stepped): Name {
  let name = after;
  const about = before.operations[0]?.asked?.incarnation;
  for (const effect of effects) {
    if (effect.does === "send") {
      const n = numberOf(effect.incarnation);
      if (effect.what === "stop") name = changed(name, n, { mayEnd: true });
      name = sent(name, { is: effect.what, n });
    } else if (effect.does === "answer") {
      name = answered(name, effect.asker, effect.answer, Number(about));
    }
  }
  return name;
}

const put = (world: World, at: number, name: Name): World => ({
  ...world,
  names: world.names.map((each, index) => (index === at ? name : each)),
});

const sent = (name: Name, message: Message): Name => ({ ...name, net: [...name.net, message] });

/** Somebody asks for the bucket: what readers were told, or are being told, is not final any more. */
function wanted(name: Name): Name {
  const operations = name.operations.map((each) =>
    each.kind === "lookup" ? { ...each, asker: askerNumber({ ...askerOf(each.asker), clean: false }) } : each,
  );
  return { ...name, absent: false, operations };
}

const isSame = (one: Message, other: Message): boolean =>
  one === other || JSON.stringify(one) === JSON.stringify(other);
