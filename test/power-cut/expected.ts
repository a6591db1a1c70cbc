/** What a disk may hold: all that was acknowledged before the cut, and of what was under way the whole or nothing. */

import { apply, copyOf, type Buckets, type Change } from "./changes.ts";
import type { Recorded, Stamped } from "./recording.ts";

/** What one writer's buckets may hold. */
export interface Allowed {
  readonly writer: string;
  /** The first is that with the acknowledged changes only. */
  readonly states: readonly Buckets[];
  /** Sent together, and not acknowledged. */
  readonly underWay: readonly Change[];
  /** Acknowledged changes. */
  readonly acknowledged: number;
}

export class Expected {
  readonly #writers: {
    readonly name: string;
    readonly changes: readonly Stamped[];
    buckets: Buckets;
    at: number;
  }[];

  constructor({ writers }: Recorded) {
    this.#writers = writers.map(({ name, changes }) => ({ name, changes, buckets: new Map(), at: 0 }));
  }

  /** At a cut before the operation of that position; positions must not go back. */
  at(position: number): Allowed[] {
    return this.#writers.map((writer) => {
      for (;;) {
        const next = writer.changes[writer.at];
        if (next === undefined || next.acknowledged >= position) break;
        apply(writer.buckets, next.change);
        writer.at += 1;
      }
      const first = writer.changes[writer.at];
      const underWay = first
        ? writer.changes.slice(writer.at, first.sentWith + 1).map(({ change }) => change)
        : [];
      const states = statesOf(copyOf(writer.buckets), underWay);
      return { writer: writer.name, states, underWay, acknowledged: writer.at };
    });
  }
}

/**
 * All states that changes may leave that are under way together. Those of one bucket are made in their order; which of two
 * buckets is first is left open (docs/protocol.md, Order). The first state is that before them.
 */
function statesOf(before: Buckets, underWay: readonly Change[]): Buckets[] {
  let states = [before];
  for (const ofOne of Map.groupBy(underWay, ({ bucket }) => bucket).values()) {
    states = states.flatMap((state) => prefixes(state, ofOne));
  }
  return states;
}

/** The state, and it after each of the changes. */
function prefixes(state: Buckets, changes: readonly Change[]): Buckets[] {
  const after = [state];
  for (const change of changes) {
    const next = copyOf(after.at(-1) ?? state);
    apply(next, change);
    after.push(next);
  }
  return after;
}
