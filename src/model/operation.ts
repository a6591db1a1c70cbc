/** Operations on entries, and transactions made of them: what a request means, whatever words it came in. Pure. */

import type { Relation } from "../contract/operations.ts";
import type { Conditions } from "./conditions.ts";
import type { Increment, ListQuery, Properties } from "./entry.ts";
import type { LargeValue } from "./large-value.ts";
import type { Value } from "./value.ts";

export type { Relation };

/** @typeParam V what a put may store: in batches only whole values */
export type Operation<V = Value> = {
  readonly key: string;
  readonly conditions?: Conditions | undefined;
} & (
  | { readonly op: "get" }
  | { readonly op: "put"; readonly value: V; readonly properties: Properties }
  | { readonly op: "delete" }
  | { readonly op: "increment"; readonly increment: Increment }
);

/** All that one step of the executor can do: an operation of a batch, a put of a large value, a list. */
export type Step = Operation<Value | LargeValue> | { readonly op: "list"; readonly query: ListQuery };

/**
 * What is compared: whether the key is there; its revision, 0 if it is not; its value's bytes; or the decimal
 * integer that its value is. A key that is not there, or no integer where one is compared, is only `!=`.
 */
export type Comparison = { readonly key: string; readonly is: Relation } & (
  | { readonly exists: boolean }
  | { readonly revision: number }
  | { readonly value: Value }
  | { readonly integer: bigint }
);

/** Compare, then do one of two lists of operations, all or nothing (after etcd's Txn). */
export interface Transaction {
  readonly if: readonly Comparison[];
  readonly then: readonly Operation[];
  readonly else: readonly Operation[];
}

/** Whether these operations change nothing, so that repeating them is safe. */
export function areReads(operations: readonly Operation[]): boolean {
  return operations.every(({ op }) => op === "get");
}

/** Whether both branches change nothing, so that repeating the transaction is safe. */
export function isRead({ then, else: otherwise }: Transaction): boolean {
  return areReads(then) && areReads(otherwise);
}
