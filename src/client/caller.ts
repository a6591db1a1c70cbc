/** How a bucket's calls are sent: one HTTP request each, or pipelined on a WebSocket. */

import type { CallOptions, OnceOptions } from "./types.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** A transaction in the form in which it is sent. */
export interface TransactionJson extends JsonObject {
  readonly if: readonly JsonObject[];
  readonly then: readonly JsonObject[];
  readonly else: readonly JsonObject[];
}

/** Each method resolves to the response's JSON, which is not checked yet. */
export interface Caller {
  batch(operations: readonly JsonObject[], options: CallOptions): Promise<unknown>;
  transact(transaction: TransactionJson, options: CallOptions & OnceOptions): Promise<unknown>;
  list(query: JsonObject, options: CallOptions): Promise<unknown>;
}

/** Whether the operations can be repeated safely: they only read. */
export function operationsOnlyRead(operations: readonly JsonObject[]): boolean {
  return operations.every(({ op }) => op === "get");
}

/** Whether a transaction can be repeated safely, whichever of its two lists is run. */
export function transactionOnlyReads(transaction: TransactionJson): boolean {
  return operationsOnlyRead(transaction.then) && operationsOnlyRead(transaction.else);
}
