/** Calls of one bucket, each a request of its own. */

import { onceHeader } from "./once.ts";
import type { Caller, JsonObject, PageWire, TransactionWire } from "./caller.ts";
import type { Http } from "./http.ts";
import type { CallOptions, OnceOptions } from "./types.ts";
import type { ResultWire } from "./wire.ts";

export class HttpCaller implements Caller {
  readonly #http: Http;
  readonly #path: string;

  constructor(http: Http, path: string) {
    this.#http = http;
    this.#path = path;
  }

  async batch(operations: readonly JsonObject[], options: CallOptions): Promise<readonly ResultWire[]> {
    const safe = operations.every(({ op }) => op === "get");
    const request = { method: "POST", body: JSON.stringify(operations), ...options, safe };
    const { results } = await this.#http.ask(
      `${this.#path}/batch`,
      request,
      (response) => response.json() as Promise<{ readonly results: readonly ResultWire[] }>,
    );
    return results;
  }

  transact(transaction: JsonObject, options: CallOptions & OnceOptions): Promise<TransactionWire> {
    const { idempotencyKey, ...call } = options;
    const request = {
      method: "POST",
      headers: onceHeader(idempotencyKey),
      body: JSON.stringify(transaction),
      ...call,
      safe: idempotencyKey !== undefined,
    };
    return this.#http.ask(
      `${this.#path}/transaction`,
      request,
      (response) => response.json() as Promise<TransactionWire>,
    );
  }

  list(query: JsonObject, options: CallOptions): Promise<PageWire> {
    return this.#http.ask(
      `${this.#path}/keys`,
      { query: query as Record<string, string>, ...options, safe: true },
      (response) => response.json() as Promise<PageWire>,
    );
  }
}
