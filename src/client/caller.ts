/** How a bucket's calls travel: each by itself over HTTP, or together on a WebSocket. */

import type { CallOptions, OnceOptions } from "./types.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** What is answered is JSON that nobody has looked at yet. */
export interface Caller {
  batch(operations: readonly JsonObject[], options: CallOptions): Promise<unknown>;
  transact(transaction: JsonObject, options: CallOptions & OnceOptions): Promise<unknown>;
  list(query: JsonObject, options: CallOptions): Promise<unknown>;
}
