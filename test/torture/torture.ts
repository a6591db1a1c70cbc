/** One run: the server is loaded and spoiled at the same time, and then all that was seen is checked. */

import { check, type Verdict } from "./check/linearizable.ts";
import { shrink } from "./check/shrink.ts";
import type { Call } from "./check/history.ts";
import { type Fault, Faults } from "./faults/faults.ts";
import { ClusterFaults } from "./faults/cluster-faults.ts";
import { ClusterTarget } from "./faults/cluster-target.ts";
import { ServerTarget, type Target } from "./faults/target.ts";
import { BulkWriter } from "./load/bulk.ts";
import { EventLog } from "./load/event-log.ts";
import { within } from "./load/callers.ts";
import { type History, makeHistory, readLast } from "./load/histories.ts";
import { Impossible } from "./load/http.ts";
import { type Life, Owner } from "./load/lives.ts";
import { watchBucket } from "./load/watches.ts";
import { Random } from "../support/random.ts";
import type { Built } from "./server/build.ts";

export interface TortureOptions {
  /** The server; undefined: a cluster of three nodes. */
  readonly built: Built | undefined;
  /** Of a cluster's nodes, in seconds; 4 if left out. */
  readonly lease?: number;
  readonly seconds: number;
  readonly seed: number;
  readonly faults: readonly Fault[];
  /** End with the first violation. */
  readonly first?: boolean;
}

export interface Report {
  readonly seconds: number;
  /** How often each fault has happened. */
  readonly faults: ReadonlyMap<string, number>;
  readonly operations: number;
  readonly acknowledgedWrites: number;
  readonly unknownWrites: number;
  readonly histories: number;
  readonly illegal: number;
  /** Histories whose check was given up. */
  readonly undecided: number;
  readonly lost: number;
  readonly lives: number;
  readonly events: number;
  readonly changes: number;
  readonly violations: readonly string[];
  /** The shortest illegal history that was found. */
  readonly shortest: readonly Call[] | undefined;
  /** What else is to be said of the faults; may be empty. */
  readonly notes: string;
}

/** Operations of one history. */
const HISTORY = 200;
const HISTORIES_AT_ONCE = 5;
const BULK_WRITERS = 3;
const OWNERS = 4;
/** A bucket is watched for so long, in milliseconds; then another one. */
const WATCH_MS = 20_000;
/** How long names may stay between two states when the faults are over, in milliseconds, with the clock put forward meanwhile. */
const SETTLE_MS = 30_000;
const NUDGE_MS = 6_000;
/** How long everything may take when the faults are over, in seconds. */
const END_WITHIN_S = 150;

export async function torture({
  built,
  lease = 4,
  seconds,
  seed,
  faults: classes,
  first = false,
}: TortureOptions): Promise<Report> {
  const random = new Random(seed);
  const violations: string[] = [];
  const { target, makeFaults } = await start({ built, lease }, violations, classes);
  const since = performance.now();
  const isOver = (): boolean =>
    performance.now() - since > seconds * 1_000 || (first && violations.length > 0);
  const found = new Found(violations);

  const faults = makeFaults(random.fork());
  const owners = Array.from(
    { length: OWNERS },
    (_, n) => new Owner(target, violations, random.fork(), `life${n}`),
  );
  const bulk = Array.from({ length: BULK_WRITERS }, (_, n) => new BulkWriter(target, violations, `bulk${n}`));
  const events = new EventLog(target, violations);
  const stop = new AbortController();
  const following = events.run(stop.signal);
  let changes = 0;

  /** A part of the load. What it finds impossible ends it, and nothing else. */
  const part = async (run: () => Promise<void>): Promise<void> => {
    try {
      await run();
    } catch (error) {
      violations.push(
        error instanceof Impossible ? error.message : `a part of the load failed: ${String(error)}`,
      );
    }
  };
  const load = async (): Promise<void> => {
    await Promise.all([
      part(() => faults.run(isOver)),
      ...owners.map((owner) => part(() => owner.run(isOver))),
      ...bulk.map((writer) => part(() => writer.run(isOver))),
      ...Array.from({ length: HISTORIES_AT_ONCE }, (_, n) =>
        part(async () => {
          const own = random.fork();
          for (let count = 0; !isOver(); count += 1)
            found.add(await makeHistory(target, own, `history${n}-${count}`, HISTORY, isOver));
        }),
      ),
      part(async () => {
        for (let count = 0; !isOver(); count += 1) {
          const until = performance.now() + WATCH_MS;
          const isLate = (): boolean => isOver() || performance.now() > until;
          const watched = await watchBucket(target, `watch${count}`, isLate);
          changes += watched.changes;
          violations.push(...watched.violations);
        }
      }),
    ]);
    // The faults are over: what is still under way ends, and everything is looked at once more.
    for (const writer of bulk) await part(() => writer.verify());
    await part(() => found.readLast(target));
    await events.settled(() => target.hasShim && target.moveClock(NUDGE_MS), SETTLE_MS);
  };

  try {
    await part(() => within(load(), (seconds + END_WITHIN_S) * 1_000));
    stop.abort();
    await following;
  } finally {
    await target.end();
  }
  const lives = new Map<string, Life>(owners.flatMap((owner) => [...owner.lives]));
  events.check(lives);

  return {
    seconds: Math.round((performance.now() - since) / 1_000),
    faults: faults.counts,
    operations: found.operations,
    acknowledgedWrites: bulk.reduce((sum, { writes }) => sum + writes, 0) + found.writes,
    unknownWrites: bulk.reduce((sum, { unknown }) => sum + unknown, 0) + found.unknown,
    histories: found.histories,
    illegal: found.illegal,
    undecided: found.undecided,
    lost: bulk.reduce((sum, writer) => sum + writer.lost, 0),
    lives: lives.size,
    events: events.events,
    changes,
    violations,
    shortest: found.shortest,
    notes: faults.notes?.() ?? "",
  };
}

interface Started {
  readonly target: Target;
  readonly makeFaults: (random: Random) => Pick<Faults, "run" | "counts"> & { readonly notes?: () => string };
}

async function start(
  { built, lease }: Required<Pick<TortureOptions, "built" | "lease">>,
  violations: string[],
  classes: readonly Fault[],
): Promise<Started> {
  if (built === undefined) {
    const target = await ClusterTarget.start(lease, violations);
    return { target, makeFaults: (random) => new ClusterFaults(target, random, violations) };
  }
  const target = await ServerTarget.start(built, violations);
  return { target, makeFaults: (random) => new Faults(target, random, classes) };
}

/** What the histories have shown so far. */
class Found {
  readonly #violations: string[];
  readonly #legal: History[] = [];
  histories = 0;
  operations = 0;
  writes = 0;
  unknown = 0;
  illegal = 0;
  undecided = 0;
  shortest: readonly Call[] | undefined;

  constructor(violations: string[]) {
    this.#violations = violations;
  }

  add(history: History): void {
    const { calls } = history;
    this.histories += 1;
    this.operations += calls.length;
    for (const { operation, answered } of calls) {
      if (answered === Infinity) this.unknown += 1;
      else if (operation.does !== "get" && operation.does !== "list") this.writes += 1;
    }
    const verdict = this.#look(history);
    if (verdict === "unknown") this.undecided += 1;
    if (verdict === "legal") this.#legal.push(history);
  }

  /** Reads what the legal ones have left, and checks them once more with that. */
  async readLast(target: Target): Promise<void> {
    for (const history of this.#legal) this.#look(await readLast(target, { ...history, impossible: [] }));
  }

  #look({ bucket, calls, impossible }: History): Verdict {
    this.#violations.push(...impossible.map((what) => `${bucket}: ${what}`));
    const verdict = check(calls);
    if (verdict !== "illegal") return verdict;
    this.illegal += 1;
    this.#violations.push(`${bucket}: the history is illegal`);
    const short = shrink(calls);
    if (this.shortest === undefined || short.length < this.shortest.length) this.shortest = short;
    return verdict;
  }
}
