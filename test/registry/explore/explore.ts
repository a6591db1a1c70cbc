/**
 * The explorer: it runs the registry's protocol through every interleaving of what a {@link World} allows, breadth first,
 * so the first violation that it finds has a shortest trace.
 */

import type { Input } from "../../../src/registry/protocol.ts";
import { type Action, type Rules, Successors } from "./actions.ts";
import { check, Violation } from "./invariants.ts";
import { type Bounds, firstWorld, keyOf, type Name, type World } from "./world.ts";

export interface Explored {
  readonly states: number;
  readonly edges: number;
  readonly seconds: number;
  readonly violation?: Found;
}

export interface Found {
  readonly what: string;
  /** What has happened, the last of it being the violation. */
  readonly trace: readonly Action[];
}

export interface ExploreOptions {
  /** Told of every step that is run. @param path what has happened until then, and what the step is about */
  readonly ran?: (name: Name, input: Input, path: () => readonly Action[]) => void;
}

/** Explores until there is no state left, or one that violates an invariant. */
export function explore(bounds: Bounds, rules: Rules, { ran }: ExploreOptions = {}): Explored {
  const since = performance.now();
  let [at, doing]: [number, Action | undefined] = [0, undefined];
  const successors = new Successors(rules, bounds, (name, input) =>
    ran?.(name, input, () => trace(at, doing === undefined ? [] : [doing])),
  );
  const first = firstWorld(bounds);
  const seen = new Set<string>([keyOf(first)]);
  /** For each state its parent's number, and the action that led to it. */
  const parents: number[] = [-1];
  const actions: (Action | undefined)[] = [undefined];
  let edges = 0;
  const trace = (from: number, last: readonly Action[]): Action[] => {
    const path = [...last];
    for (let one = from; one > 0; one = parents[one] as number) path.unshift(actions[one] as Action);
    return path;
  };
  const result = (violation?: Found): Explored => {
    const seconds = Math.round((performance.now() - since) / 100) / 10;
    return { states: seen.size, edges, seconds, ...(violation === undefined ? {} : { violation }) };
  };

  let frontier: [number, World][] = [[0, first]];
  while (frontier.length > 0) {
    const reached: [number, World][] = [];
    for (const [from, world] of frontier) {
      at = from;
      doing = undefined;
      try {
        successors.of(
          world,
          (action, next) => {
            edges += 1;
            const key = keyOf(next);
            if (seen.has(key)) return;
            doing = action;
            check(next);
            seen.add(key);
            parents.push(from);
            reached.push([actions.push(action) - 1, next]);
          },
          (action) => (doing = action),
        );
      } catch (error) {
        if (!(error instanceof Violation)) throw error;
        return result({ what: error.message, trace: trace(from, doing === undefined ? [] : [doing]) });
      }
    }
    frontier = reached;
  }
  return result();
}

/** An action in words. */
export function inWords(action: Action): string {
  const name = "at" in action ? `${"ab"[action.at] ?? action.at}: ` : "";
  const crash =
    "crash" in action && action.crash !== undefined ? ` † the registry ends: ${action.crash}` : "";
  return name + bare(action) + crash;
}

function bare(action: Action): string {
  switch (action.does) {
    case "ask":
      return `${action.kind}${action.options === undefined ? "" : ` ${action.options}`} is asked for`;
    case "deliver": {
      const { message } = action;
      if (message.is === "said")
        return `the registry hears that ${message.what} of ${message.n} was answered: ${message.outcome}`;
      if (message.is === "down" || message.is === "restarted")
        return `the registry hears that ${message.n} ${message.is === "down" ? "has ended" : "was restarted"}`;
      if (message.is === "report")
        return `the registry is asked by object ${message.n} whether it has its name`;
      if (message.is === "orphan") return `object ${message.n} hears that it has no name`;
      return `object ${message.n} hears ${message.is}`;
    }
    case "resend":
      return `${action.message.is} of ${action.message.n} is sent once more`;
    case "deadline":
      return `the deadline of ${action.what} passes${action.isLost ? ", and it is lost" : ", and it is still on its way"}`;
    case "fail probe":
      return `the probe of ${action.message.n} fails`;
    case "give up":
      return "the caller of a create gives up";
    case "probe":
      return "the bucket is probed";
    case "exit":
      return `object ${action.n} ends by itself`;
    case "report":
      return `object ${action.n} reports`;
    case "restart":
      return `object ${action.n} is restarted`;
    case "alarm":
      return "the alarm repairs what was cut off";
    case "crash":
      return "† the registry ends";
    case "lose alarm":
      return "the platform loses the alarm";
  }
}

/** A trace in lines. */
export const inLines = ({ what, trace }: Found): string => [...trace.map(inWords), `=> ${what}`].join("\n");
