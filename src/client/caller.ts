/** How a bucket's calls travel: each by itself over HTTP, or together on a WebSocket. */

import type { CallOptions, OnceOptions } from "./types.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether operations change nothing, so that to send them again is as good. */
export function readsOnly(operations: readonly JsonObject[]): boolean {
  return operations.every(({ op }) => op === "get");
}

/** As {@link readsOnly}, of both ways that a transaction may go. */
export function onlyReads(transaction: JsonObject): boolean {
  return [transaction["then"], transaction["else"]].every(
    (branch) => branch === undefined || readsOnly(branch as readonly JsonObject[]),
  );
}

/** What is answered is JSON that nobody has looked at yet. */
export interface Caller {
  batch(operations: readonly JsonObject[], options: CallOptions): Promise<unknown>;
  transact(transaction: JsonObject, options: CallOptions & OnceOptions): Promise<unknown>;
  list(query: JsonObject, options: CallOptions): Promise<unknown>;
}
