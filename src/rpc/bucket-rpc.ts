/** The RPC interface of a bucket's object, as its callers see it. */

import type { ListPage, ListQuery } from "../model/entry.ts";
import type { Idempotency, Replayable } from "../model/idempotency.ts";
import type { KeyRange } from "../model/key-range.ts";
import type { Lease } from "../model/large-value.ts";
import type { Operation, Transaction } from "../model/operation.ts";
import type { Restored, RestoredEntry } from "../model/restored.ts";
import type { Totals } from "../model/totals.ts";
import type { Answered } from "../otp/exit.ts";
import type { Process } from "../otp/process.ts";
import type { BucketCall, BucketCalls, GroupReply, JsonText } from "./bucket-calls.ts";

/** The arguments of a bucket's start. */
export interface BucketArgs {
  readonly name: string;
  readonly incarnation: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** A bucket's reply to a probe. `ended`: the bucket has ended, for this reason. */
export type ProbeReply = Totals | { readonly ended: string };

/** A page of entries of one incarnation. */
export interface EntriesPage extends ListPage {
  readonly incarnation: string;
}

/** The methods of a process that callers use. */
type ProcessRpc = Pick<
  Process<unknown, BucketArgs, unknown>,
  "start" | "stop" | "exit" | "monitor" | "demonitor" | "notify"
>;

/** The calls of a group, each as a method of its own. */
type SingleCalls = {
  [M in keyof BucketCalls]: (...args: Parameters<BucketCalls[M]>) => Answered<ReturnType<BucketCalls[M]>>;
};

/**
 * A bucket's object. Every method replies with the exit `noproc` if the bucket does not live. bucket/bucket.ts
 * documents each method.
 */
export interface BucketRpc extends Rpc.DurableObjectBranded, ProcessRpc, SingleCalls {
  fetch(request: Request): Promise<Response>;

  group(calls: readonly BucketCall[]): Answered<GroupReply>;
  batch(operations: readonly Operation[]): Answered<JsonText>;
  transact(transaction: Transaction, idempotency?: Idempotency): Answered<Replayable<JsonText>>;
  restore(
    entries: readonly RestoredEntry[],
    options: { readonly stop: boolean },
  ): Answered<readonly Restored[]>;
  entries(query: ListQuery): Answered<EntriesPage>;
  list(query: ListQuery): Answered<JsonText>;
  removeRange(range: KeyRange): Answered<{ readonly removed: number; readonly more: boolean }>;

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
