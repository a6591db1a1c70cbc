/** How a bucket's calls travel: each by itself over HTTP, or together on a WebSocket. */

import type { CallOptions, OnceOptions } from "./types.ts";
import type { EntryWire, ResultWire } from "./wire.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

export interface TransactionWire {
  readonly succeeded: boolean;
  readonly results: readonly ResultWire[];
}

export interface PageWire {
  readonly keys: readonly EntryWire[];
  readonly cursor?: string;
}

export interface Caller {
  batch(operations: readonly JsonObject[], options: CallOptions): Promise<readonly ResultWire[]>;
  transact(transaction: JsonObject, options: CallOptions & OnceOptions): Promise<TransactionWire>;
  list(query: JsonObject, options: CallOptions): Promise<PageWire>;
}
