/** The calls on single keys, and those of the text protocol: alone, or several in one transaction. Synchronous. */

import { etag } from "../model/conditions.ts";
import type { Entry } from "../model/entry.ts";
import type { Found } from "../model/outcome.ts";
import { replyOf, type Reply } from "../otp/exit.ts";
import type { BucketCall, BucketCalls } from "../rpc/bucket-calls.ts";
import { incrementedJson } from "../schema/result-json.ts";
import type { Executor } from "../store/executor.ts";
import type { Remembered } from "../store/idempotency.ts";
import { isReadCommand, type Answer } from "../text/command.ts";
import { runTextCommands, sizeOf } from "./text-commands.ts";

/** What the calls work on. */
export interface Work {
  readonly executor: Executor;
  readonly incarnation: string;
  readonly remembered: Remembered;
}

/** No further call of a group is run once the replies have so many bytes or characters. The last one may exceed it. */
const MAX_REPLIES_SIZE = 4 * 1_048_576;

const CALLS: {
  readonly [M in keyof BucketCalls]: (
    work: Work,
    ...args: Parameters<BucketCalls[M]>
  ) => ReturnType<BucketCalls[M]>;
} = {
  /** Reads an entry. Read a large value with `chunk`. Refuses with `precondition_failed`. */
  get: ({ executor }, key, conditions) => executor.read(conditions, (entries) => entries.get(key)),

  /** Like `get`, without the value. */
  info: ({ executor }, key, conditions) => executor.read(conditions, (entries) => entries.info(key)),

  /** Stores a value, or a large value that was uploaded with `append`. Refuses with `precondition_failed`. */
  put({ executor, incarnation }, key, value, { conditions, ...properties } = {}) {
    const { created, revision } = executor.perform<"put">({ op: "put", key, value, properties, conditions });
    return { created, revision, etag: etag(incarnation, revision) };
  },

  /** Deletes an entry. @returns whether it existed. Refuses with `precondition_failed`. */
  remove: ({ executor }, key, conditions) =>
    executor.perform<"delete">({ op: "delete", key, conditions }).deleted,

  /** Reads an entry and deletes it. Without a lease, a large value is refused with `value_too_large`. */
  getAndDelete: ({ executor }, key, conditions, lease) => executor.take(key, conditions, lease),

  /** Adds to a counter, atomically. @returns the JSON text of an `Incremented` */
  increment({ executor, incarnation, remembered }, key, increment, { conditions, idempotency } = {}) {
    const run = (): string => {
      const outcome = executor.perform<"increment">({ op: "increment", key, increment, conditions });
      return JSON.stringify(incrementedJson(incarnation, outcome));
    };
    return idempotency === undefined ? { result: run(), replayed: false } : remembered.once(idempotency, run);
  },

  /**
   * Runs commands of the text protocol. It stops once the replies exceed 4 MiB, after at least one command.
   * @returns the replies of the commands that were run; the remaining commands were not run
   */
  run: ({ executor }, commands) => runTextCommands(executor, commands),
};

/** Runs one call. A refused call changes nothing. @throws {Refusal} */
export function perform<M extends keyof BucketCalls>(
  work: Work,
  method: M,
  args: Parameters<BucketCalls[M]>,
): ReturnType<BucketCalls[M]> {
  const run = CALLS[method] as (
    work: Work,
    ...args: Parameters<BucketCalls[M]>
  ) => ReturnType<BucketCalls[M]>;
  return run(work, ...args);
}

/**
 * Runs the calls of a group in order; a refused one does not affect the others.
 * @returns the replies of the calls that were run, at least one: it stops once they exceed 4 MiB
 */
export function performGroup(work: Work, calls: readonly BucketCall[]): Reply<unknown>[] {
  const replies: Reply<unknown>[] = [];
  let size = 0;
  for (const [method, ...args] of calls) {
    try {
      const reply = perform(work, method, args);
      replies.push({ reply });
      size += replySize(method, reply);
    } catch (error) {
      const refusal = replyOf(error);
      if (refusal === undefined) throw error;
      replies.push(refusal);
    }
    if (size > MAX_REPLIES_SIZE) break;
  }
  return replies;
}

/** Whether a call only reads. */
export function isRead(call: BucketCall): boolean {
  if (call[0] === "run") return call[1].every(isReadCommand);
  return call[0] === "get" || call[0] === "info";
}

/** Whether a call's result is remembered. */
export function isRemembered(call: BucketCall): boolean {
  return call[0] === "increment" && call[3]?.idempotency !== undefined;
}

/** The size of a reply, in bytes or characters: that of its values. */
function replySize(method: keyof BucketCalls, reply: unknown): number {
  if (method === "run") return (reply as readonly Answer[]).reduce((sum, answer) => sum + sizeOf(answer), 0);
  if (method !== "get" && method !== "getAndDelete") return 0;
  const found = reply as Found<Entry>;
  return found.outcome === "found" && found.entry.large === null ? found.entry.size : 0;
}
