/** What a bucket's object answers: the interface that its callers know. */

import type { Written } from "../contract/entries.ts";
import type { Conditions } from "../model/conditions.ts";
import type { Entry, EntryInfo, Increment, ListPage, ListQuery, Properties } from "../model/entry.ts";
import type { Idempotency, Once } from "../model/idempotency.ts";
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

/** What a bucket is started with. */
export interface BucketArgs {
  readonly name: string;
  readonly incarnation: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** What a bucket answers to a probe. `ended`: it no longer lives, and this is why. */
export type ProbeReply = Totals | { readonly ended: string };

export interface PutOptions extends Properties {
  readonly conditions?: Conditions | undefined;
}

export interface IncrementOptions {
  readonly conditions?: Conditions | undefined;
  readonly idempotency?: Idempotency | undefined;
}

/** A page of entries of one incarnation. */
export interface EntriesPage extends ListPage {
  readonly incarnation: string;
}

/**
 * JSON of the API, written in the object and passed on as it is: for a page of a thousand entries that is faster end to
 * end than sending objects and writing the JSON in the Worker. The schemas say what is in it.
 */
export type JsonText = string;

/** The part of a process that callers use. */
type ProcessRpc = Pick<
  Process<unknown, BucketArgs, unknown>,
  "start" | "stop" | "exit" | "monitor" | "demonitor" | "notify"
>;

/** Every method answers `noproc` if the bucket does not live. What each one does is said in bucket/bucket.ts. */
export interface BucketRpc extends Rpc.DurableObjectBranded, ProcessRpc {
  fetch(request: Request): Promise<Response>;
  get(key: string, conditions: Conditions): Answered<Found<Entry>>;
  info(key: string, conditions: Conditions): Answered<Found<EntryInfo>>;
  put(key: string, value: Value | LargeValue, options?: PutOptions): Answered<Written>;
  remove(key: string, conditions: Conditions): Answered<boolean>;
  increment(key: string, increment: Increment, options?: IncrementOptions): Answered<Once<JsonText>>;
  batch(operations: readonly Operation[]): Answered<JsonText>;
  transact(transaction: Transaction, idempotency?: Idempotency): Answered<Once<JsonText>>;
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
