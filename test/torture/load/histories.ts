/** Histories: a few callers that use a few keys of one bucket at the same time. */

import { setTimeout as pause } from "node:timers/promises";
import type { Call, Operation } from "../check/history.ts";
import type { Target } from "../faults/target.ts";
import type { Random } from "../../support/random.ts";
import { type Caller, HttpCaller, SessionCaller, TcpCaller } from "./callers.ts";
import { ask, createBucket, Impossible } from "./http.ts";

const CALLERS = 5;
/** Further callers of every other history, which only read a key that is not there: so many calls that they travel together. */
const CROWD = 10;
const IN_THE_CROWD = "crowd";
const KEYS = ["a", "b"];
const COUNTER = "n";
/** Each operation without an answer doubles what has to be searched, so a caller that had none waits; in milliseconds. */
const AFTER_UNKNOWN_MS = 150;

/** How often each operation is drawn. With `both` and `list`, a history has to be checked as a whole. */
const SINGLE = { get: 9, put: 6, delete: 2, add: 2, replace: 3, take: 1, increment: 3, both: 0, list: 0 };
const WITH_TRANSACTIONS = { ...SINGLE, both: 4, list: 4 };

export interface History {
  readonly bucket: string;
  readonly calls: readonly Call[];
  /** Answers that no order of operations explains. */
  readonly impossible: readonly string[];
}

/** Makes one history of so many operations. @param isOver ends it early */
export async function makeHistory(
  target: Target,
  random: Random,
  bucket: string,
  operations: number,
  isOver: () => boolean,
): Promise<History> {
  await createBucket(target, bucket);
  const calls: Call[] = [];
  const impossible: string[] = [];
  const weights = random.below(3) === 0 ? WITH_TRANSACTIONS : SINGLE;
  const bag = Object.entries(weights).flatMap(([does, weight]) => Array<string>(weight).fill(does));
  /** Values that were read, for those that replace them. */
  let last = "none";
  let asked = 0;

  const draw = (): Operation => {
    const does = random.pick(bag) as Operation["does"];
    const value = `v${asked}`;
    const key = random.pick(KEYS);
    if (does === "list") return { does };
    if (does === "both") return { does, keys: KEYS, value };
    if (does === "increment") return { does, key: COUNTER };
    if (does === "replace") return { does, key, expected: last, value };
    return does === "put" || does === "add" ? { does, key, value } : { does, key };
  };

  const work = async (caller: Caller, n: number): Promise<void> => {
    while (asked < operations && !isOver()) {
      let operation = draw();
      if (!caller.can(operation)) operation = { does: "get", key: random.pick(KEYS) };
      asked += 1;
      const since = performance.now();
      try {
        const result = await caller.run(operation);
        const times = { caller: n, operation, asked: since };
        if (result === undefined) {
          calls.push({ ...times, answered: Infinity });
          await pause(AFTER_UNKNOWN_MS);
        } else calls.push({ ...times, answered: performance.now(), result });
        if (operation.does === "get" && typeof result === "string") last = result;
      } catch (error) {
        if (!(error instanceof Impossible)) throw error;
        impossible.push(error.message);
      }
    }
    caller.close();
  };

  const done = new AbortController();
  const read = async (): Promise<void> => {
    while (!done.signal.aborted) {
      const answer = await ask(target, "GET", `/v1/buckets/${bucket}/keys/${IN_THE_CROWD}`);
      if (answer === undefined) await pause(AFTER_UNKNOWN_MS);
    }
  };
  const crowd = Array.from({ length: random.below(2) === 0 ? CROWD : 0 }, read);
  const callers = Array.from({ length: CALLERS }, (_, n): Caller => {
    const way = n < 3 ? 0 : n - 2;
    if (way === 0) return new HttpCaller(target, bucket);
    return way === 1 ? new TcpCaller(target, bucket) : new SessionCaller(target, bucket);
  });
  await Promise.all(callers.map(work)).finally(() => done.abort());
  await Promise.all(crowd);
  return { bucket, calls, impossible };
}

/** Reads all keys of a history's bucket, when the faults are over: what was acknowledged last is there. */
export async function readLast(target: Target, { bucket, calls, impossible }: History): Promise<History> {
  const caller = new HttpCaller(target, bucket);
  const last: Call[] = [];
  for (const key of [...KEYS, COUNTER]) {
    const operation = { does: "get", key } as const;
    const asked = performance.now();
    const result = await caller.run(operation);
    if (result !== undefined)
      last.push({ caller: CALLERS, operation, asked, answered: performance.now(), result });
  }
  return { bucket, calls: [...calls, ...last], impossible };
}
