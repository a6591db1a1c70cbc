/** How a bucket's calls are sent: one HTTP request each, or pipelined on a WebSocket. */

import type { TransactionJson } from "../contract/operations.ts";
import type { CallOptions, OnceOptions } from "./types.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** A transaction in the form in which it is sent: its values are encoded. */
export type EncodedTransaction = { readonly [Part in keyof TransactionJson]-?: readonly JsonObject[] };

/** Each method resolves to the response's JSON, which is not checked yet. */
export interface Caller {
  batch(operations: readonly JsonObject[], options: CallOptions): Promise<unknown>;
  transact(transaction: EncodedTransaction, options: CallOptions & OnceOptions): Promise<unknown>;
  list(query: JsonObject, options: CallOptions): Promise<unknown>;
}

/** Whether the operations can be repeated safely: they only read. */
export function operationsOnlyRead(operations: readonly JsonObject[]): boolean {
  return operations.every(({ op }) => op === "get");
}

/** Whether a transaction can be repeated safely, whichever of its two lists is run. */
export function transactionOnlyReads(transaction: EncodedTransaction): boolean {
  return operationsOnlyRead(transaction.then) && operationsOnlyRead(transaction.else);
}
