/** How a bucket's calls travel: each by itself over HTTP, or together on a WebSocket. */

import type { CallOptions, OnceOptions } from "./types.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** A transaction, as it is sent. */
export interface TransactionJson extends JsonObject {
  readonly if: readonly JsonObject[];
  readonly then: readonly JsonObject[];
  readonly else: readonly JsonObject[];
}

/** What is answered is JSON that nobody has looked at yet. */
export interface Caller {
  batch(operations: readonly JsonObject[], options: CallOptions): Promise<unknown>;
  transact(transaction: TransactionJson, options: CallOptions & OnceOptions): Promise<unknown>;
  list(query: JsonObject, options: CallOptions): Promise<unknown>;
}

/** Whether operations may be done twice. */
export function onlyRead(operations: readonly JsonObject[]): boolean {
  return operations.every(({ op }) => op === "get");
}

/** Whether a transaction may be done twice, whichever of its lists that is. */
export function onlyReads(transaction: TransactionJson): boolean {
  return onlyRead(transaction.then) && onlyRead(transaction.else);
}
