/** Calls to a bucket that may travel together, several in one RPC. */

import type { Written } from "../contract/entries.ts";
import type { Conditions } from "../model/conditions.ts";
import type { Entry, EntryInfo, Increment, Properties } from "../model/entry.ts";
import type { Idempotency, Replayable } from "../model/idempotency.ts";
import type { LargeValue } from "../model/large-value.ts";
import type { Found } from "../model/outcome.ts";
import type { Value } from "../model/value.ts";
import type { Reply } from "../otp/exit.ts";
import type { Answer, BucketCommand } from "../text/command.ts";

/** The options of a put. */
export interface PutOptions extends Properties {
  readonly conditions?: Conditions | undefined;
}

/** The options of an increment. */
export interface IncrementGuards {
  readonly conditions?: Conditions | undefined;
  readonly idempotency?: Idempotency | undefined;
}

/**
 * JSON text of the API, serialized in the object and forwarded unchanged. For a page of a thousand entries that is faster
 * end to end than sending objects and serializing them in the Worker. schema/answers.ts has the schemas.
 */
export type JsonText = string;

/** The calls with their results. bucket/calls.ts documents each. */
export interface BucketCalls {
  get(key: string, conditions: Conditions): Found<Entry>;
  info(key: string, conditions: Conditions): Found<EntryInfo>;
  put(key: string, value: Value | LargeValue, options?: PutOptions): Written;
  remove(key: string, conditions: Conditions): boolean;
  getAndDelete(key: string, conditions: Conditions, lease?: string): Found<Entry>;
  increment(key: string, increment: Increment, options?: IncrementGuards): Replayable<JsonText>;
  run(commands: readonly BucketCommand[]): readonly Answer[];
}

type Method = keyof BucketCalls;

/** One call as data: the method, then its arguments. */
export type BucketCall<M extends Method = Method> = {
  readonly [Each in M]: readonly [method: Each, ...args: Parameters<BucketCalls[Each]>];
}[M];

/** A call as data. */
export function callOf<M extends Method>(method: M, args: Parameters<BucketCalls[M]>): BucketCall {
  // TypeScript does not see that these are the members of the tuple for every M.
  return [method, ...args] as unknown as BucketCall;
}

/** The replies to the first calls of a group; the others were not run. None at all if one of them threw. */
export type GroupReply = readonly Reply<unknown>[];
