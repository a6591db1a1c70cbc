/**
 * The partition count (src/registry/partition-count.ts) in every order in which its messages can arrive: callers, of which
 * one has another count, ask two partitions and partition 0. Each order is run from its beginning.
 */

import { describe, expect, inject, it } from "vitest";
import { KvError } from "../../../src/model/errors.ts";
import { type FirstPartition, PartitionCount } from "../../../src/registry/partition-count.ts";
import type { Partition } from "../../../src/rpc/partition.ts";

/** What a caller asks for. */
interface Ask {
  readonly does: "create" | "read";
  readonly partition: number;
  readonly partitions: number;
}

/** Partition 0's own storage, and what it does when it is called. A test puts a bug into it. */
type Zero = (stored: { count: number | null }) => {
  readonly fixed: () => number | null;
  readonly fix: (partitions: number) => number;
};

const ZERO: Zero = (stored) => ({
  fixed: () => stored.count,
  fix: (partitions) => (stored.count ??= partitions),
});

/** Something that can happen next. */
type Event = () => void;

class Run {
  readonly #stored = new Map<number, Partition>();
  readonly #zero = { count: null as number | null };
  readonly #answers: ReturnType<Zero>;
  readonly #counts = new Map<number, PartitionCount>();
  /** What can happen next: a caller asks, a message arrives or is lost, a reply arrives, a partition's memory goes. */
  readonly #next = new Set<Event>();
  /** The counts under which something was created, and acknowledged. */
  readonly #acknowledged = new Set<number>();
  readonly violations: string[] = [];

  constructor(asks: readonly Ask[], zero: Zero) {
    this.#answers = zero(this.#zero);
    for (const ask of asks) this.#can(() => void this.#ask(ask));
    this.#can(() => this.#counts.clear());
  }

  /** The number of things that can happen next. */
  get choices(): number {
    return this.#next.size;
  }

  async happens(choice: number): Promise<void> {
    const event = [...this.#next][choice] as Event;
    this.#next.delete(event);
    event();
    await new Promise(setImmediate);
    const counts = new Set([...this.#stored.values()].map(({ partitions }) => partitions));
    if (counts.size > 1) this.violations.push("two partitions have stored two counts");
  }

  #can(event: Event): void {
    this.#next.add(event);
  }

  async #ask({ does, ...caller }: Ask): Promise<void> {
    const before = [...this.#acknowledged];
    const wasUsed = this.#stored.has(caller.partition);
    const count = this.#countOf(caller.partition);
    try {
      if (does === "create") {
        await count.toChange(caller);
        if (!this.#stored.has(caller.partition)) this.violations.push("a change has stored nothing");
        this.#acknowledged.add(caller.partitions);
        if (this.#acknowledged.size > 1) this.violations.push("two counts were acknowledged");
      } else {
        const isUsed = await count.toRead(caller);
        if (!isUsed && wasUsed) this.violations.push("a partition with names seemed never to have been used");
        if (before.some((partitions) => partitions !== caller.partitions))
          this.violations.push("a read under another count was answered");
      }
    } catch (error) {
      const isKnown = error instanceof KvError || (error instanceof Error && error.message === "timeout");
      if (!isKnown) this.violations.push(String(error));
      if (error instanceof KvError && before.includes(caller.partitions))
        this.violations.push("the right count was refused");
    }
  }

  #countOf(partition: number): PartitionCount {
    const first: FirstPartition = {
      fixed: () => this.#call(() => this.#answers.fixed()),
      fix: (partitions) => this.#call(() => this.#fix(partitions)),
    };
    const own = {
      ctx: undefined as unknown as DurableObjectState,
      stored: () => this.#stored.get(partition),
      start: (args: Partition) => {
        this.#stored.set(partition, args);
        if (partition === 0) this.#zero.count = args.partitions;
      },
    };
    const count = this.#counts.get(partition) ?? new PartitionCount(own, first);
    this.#counts.set(partition, count);
    return count;
  }

  #fix(partitions: number): number {
    const fixed = this.#answers.fix(partitions);
    if (!this.#stored.has(0)) this.#stored.set(0, { partition: 0, partitions: fixed });
    return fixed;
  }

  /** A call to partition 0: it arrives or is lost, and so is its reply. */
  #call<T>(body: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const either = (one: Event, other: Event): void => {
        const [first, second]: Event[] = [one, other].map((event, at) => () => {
          this.#next.delete((at === 0 ? second : first) as Event);
          event();
        });
        this.#can(first as Event);
        this.#can(second as Event);
      };
      const lost = (): void => reject(new Error("timeout"));
      either(() => {
        const reply = body();
        either(() => resolve(reply), lost);
      }, lost);
    });
  }
}

/** Runs every order; the first violation, and the number of orders. */
async function explore(asks: readonly Ask[], zero = ZERO): Promise<{ orders: number; violation?: string }> {
  let orders = 0;
  const path: { choice: number; of: number }[] = [];
  do {
    const run = new Run(asks, zero);
    for (let depth = 0; run.choices > 0; depth += 1) {
      path[depth] ??= { choice: 0, of: run.choices };
      await run.happens((path[depth] as { choice: number }).choice);
    }
    orders += 1;
    const [violation] = run.violations;
    if (violation !== undefined) return { orders, violation };
    // The next order: the last choice that has another one left.
    while (path.length > 0 && (path.at(-1)?.choice ?? 0) + 1 === path.at(-1)?.of) path.pop();
    const last = path.at(-1);
    if (last !== undefined) last.choice += 1;
  } while (path.length > 0);
  return { orders };
}

const create = (partition: number, partitions = 3): Ask => ({ does: "create", partition, partitions });
const read = (partition: number, partitions = 3): Ask => ({ does: "read", partition, partitions });

/** Two or three callers each; one has another count. */
const CASES: readonly (readonly Ask[])[] = [
  [create(1), create(2, 4)],
  [create(0), create(2, 4), read(1, 4)],
  [create(1), create(1, 4)],
  [create(1), read(2, 4)],
  [create(0), create(0, 4), read(0, 4)],
  // Many orders: the large runs only.
  ...(inject("sizes").explored === "large" ? [[create(1), read(2, 4), read(2)]] : []),
];

describe("the partition count, in every order of messages", () => {
  it("is one: nothing is acknowledged or found under another", { timeout: 120_000 }, async () => {
    let orders = 0;
    for (const asks of CASES) {
      const explored = await explore(asks);
      expect(explored.violation, JSON.stringify(asks)).toBeUndefined();
      orders += explored.orders;
    }
    console.log(`explored: ${orders} orders of messages about the partition count`);
    expect(orders).toBeGreaterThan(1_000);
  });

  it.each<[string, Zero, readonly Ask[], string]>([
    [
      "partition 0 forgets what it has fixed",
      () => ({ fixed: () => null, fix: (partitions) => partitions }),
      [create(1), create(2, 4)],
      "two counts were acknowledged",
    ],
    [
      "partition 0 fixes what comes last",
      (stored) => ({ fixed: () => stored.count, fix: (partitions) => (stored.count = partitions) }),
      [create(1), create(2, 4)],
      "two counts were acknowledged",
    ],
    [
      "partition 0 does not say what is fixed",
      (stored) => ({ ...ZERO(stored), fixed: () => null }),
      [create(1), read(2, 4)],
      "a read under another count was answered",
    ],
  ])("a bug is caught: %s", async (_, zero, asks, violation) => {
    expect((await explore(asks, zero)).violation).toBe(violation);
  });
});
