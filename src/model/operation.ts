/** Operations on entries, and transactions of operations, independent of the protocol that carried them. Pure. */

import type { Relation } from "../contract/operations.ts";
import type { Conditions } from "./conditions.ts";
import type { Increment, ListQuery, Properties } from "./entry.ts";
import type { LargeValue } from "./large-value.ts";
import type { Value } from "./value.ts";

export type { Relation };

/** One operation on one key. @typeParam V the values that a put may store: only whole ones in batches */
export type Operation<V = Value> = {
  readonly key: string;
  readonly conditions?: Conditions | undefined;
} & (
  | { readonly op: "get" }
  | { readonly op: "put"; readonly value: V; readonly properties: Properties }
  | { readonly op: "delete" }
  | { readonly op: "getAndDelete" }
  | { readonly op: "increment"; readonly increment: Increment }
);

/** One step of the executor: an operation of a batch, a put of a large value, or a list. */
export type Step = Operation<Value | LargeValue> | { readonly op: "names"; readonly query: ListQuery };

/**
 * A condition of a transaction. It compares one of: whether the key exists; its revision, 0 if the key is missing; the
 * bytes of its value; its value as a decimal integer. For a missing key, or a value that is not an integer where an
 * integer is compared, only `!=` holds.
 */
export type Comparison = { readonly key: string; readonly is: Relation } & (
  | { readonly exists: boolean }
  | { readonly revision: number }
  | { readonly value: Value }
  | { readonly integer: bigint }
);

/** Runs `then` if all comparisons hold, otherwise `else`; all operations or none (after etcd's Txn). */
export interface Transaction {
  readonly if: readonly Comparison[];
  readonly then: readonly Operation[];
  readonly else: readonly Operation[];
}

/** Whether these operations only read, so repeating them is safe. */
export function areReads(operations: readonly Operation[]): boolean {
  return operations.every(({ op }) => op === "get");
}

/** Whether both branches only read, so repeating the transaction is safe. */
export function isRead({ then, else: otherwise }: Transaction): boolean {
  return areReads(then) && areReads(otherwise);
}
