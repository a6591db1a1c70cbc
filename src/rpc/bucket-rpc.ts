/** The RPC interface of a bucket's object, as its callers see it. */

import type { Written } from "../contract/entries.ts";
import type { Conditions } from "../model/conditions.ts";
import type { Entry, EntryInfo, Increment, ListPage, ListQuery, Properties } from "../model/entry.ts";
import type { Idempotency, Replayable } from "../model/idempotency.ts";
import type { KeyRange } from "../model/key-range.ts";
import type { LargeValue, Lease } from "../model/large-value.ts";
import type { Operation, Transaction } from "../model/operation.ts";
import type { Found } from "../model/outcome.ts";
import type { Restored, RestoredEntry } from "../model/restored.ts";
import type { Totals } from "../model/totals.ts";
import type { Value } from "../model/value.ts";
import type { Answered } from "../otp/exit.ts";
import type { Process } from "../otp/process.ts";
import type { Answer, BucketCommand } from "../text/command.ts";

/** The arguments of a bucket's start. */
export interface BucketArgs {
  readonly name: string;
  readonly incarnation: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** A bucket's reply to a probe. `ended`: the bucket has ended, for this reason. */
export type ProbeReply = Totals | { readonly ended: string };

/** The options of a put. */
export interface PutOptions extends Properties {
  readonly conditions?: Conditions | undefined;
}

/** The options of an increment. */
export interface IncrementGuards {
  readonly conditions?: Conditions | undefined;
  readonly idempotency?: Idempotency | undefined;
}

/** A page of entries of one incarnation. */
export interface EntriesPage extends ListPage {
  readonly incarnation: string;
}

/**
 * JSON text of the API, serialized in the object and forwarded unchanged. For a page of a thousand entries that is faster
 * end to end than sending objects and serializing them in the Worker. schema/answers.ts has the schemas.
 */
export type JsonText = string;

/** The methods of a process that callers use. */
type ProcessRpc = Pick<
  Process<unknown, BucketArgs, unknown>,
  "start" | "stop" | "exit" | "monitor" | "demonitor" | "notify"
>;

/**
 * A bucket's object. Every method replies with the exit `noproc` if the bucket does not live. bucket/bucket.ts
 * documents each method.
 */
export interface BucketRpc extends Rpc.DurableObjectBranded, ProcessRpc {
  fetch(request: Request): Promise<Response>;
  get(key: string, conditions: Conditions): Answered<Found<Entry>>;
  info(key: string, conditions: Conditions): Answered<Found<EntryInfo>>;
  put(key: string, value: Value | LargeValue, options?: PutOptions): Answered<Written>;
  remove(key: string, conditions: Conditions): Answered<boolean>;
  getAndDelete(key: string, conditions: Conditions, lease?: string): Answered<Found<Entry>>;
  increment(key: string, increment: Increment, options?: IncrementGuards): Answered<Replayable<JsonText>>;
  batch(operations: readonly Operation[]): Answered<JsonText>;
  transact(transaction: Transaction, idempotency?: Idempotency): Answered<Replayable<JsonText>>;
  restore(
    entries: readonly RestoredEntry[],
    options: { readonly stop: boolean },
  ): Answered<readonly Restored[]>;
  entries(query: ListQuery): Answered<EntriesPage>;
  list(query: ListQuery): Answered<JsonText>;
  removeRange(range: KeyRange): Answered<{ readonly removed: number; readonly more: boolean }>;
  run(commands: readonly BucketCommand[]): Answered<readonly Answer[]>;

  append(large: string, n: number, bytes: ArrayBuffer): Answered<null>;
  abandon(large: string): Answered<null>;
  chunk(large: string, n: number, lease: Lease): Answered<ArrayBuffer | null>;
  renewLease(large: string, lease?: string): Answered<null>;
  releaseLease(lease: string): Answered<null>;

  totals(): Answered<Totals & { readonly incarnation: string }>;
  probe(): Answered<ProbeReply>;
  serverStopping(): null;
}

export type BucketStub = DurableObjectStub<BucketRpc>;
