/** Calls of one bucket, each a request of its own. */

import { jsonOf } from "./answers.ts";
import { onlyReads, readsOnly, type Caller, type JsonObject } from "./caller.ts";
import { jsonText } from "./exact-json.ts";
import type { Http } from "./http.ts";
import { onceHeader } from "./once.ts";
import type { CallOptions, OnceOptions } from "./types.ts";

export class HttpCaller implements Caller {
  readonly #http: Http;
  readonly #path: string;

  constructor(http: Http, path: string) {
    this.#http = http;
    this.#path = path;
  }

  batch(operations: readonly JsonObject[], options: CallOptions): Promise<unknown> {
    const request = { method: "POST", body: jsonText(operations), ...options, safe: readsOnly(operations) };
    return this.#http.ask(`${this.#path}/batch`, request, jsonOf);
  }

  transact(transaction: JsonObject, options: CallOptions & OnceOptions): Promise<unknown> {
    const { idempotencyKey, ...call } = options;
    const request = {
      method: "POST",
      headers: onceHeader(idempotencyKey),
      body: jsonText(transaction),
      ...call,
      safe: idempotencyKey !== undefined || onlyReads(transaction),
    };
    return this.#http.ask(`${this.#path}/transaction`, request, jsonOf);
  }

  list(query: JsonObject, options: CallOptions): Promise<unknown> {
    const request = { query: query as Record<string, string>, ...options, safe: true };
    return this.#http.ask(`${this.#path}/keys`, request, jsonOf);
  }
}
