/** Sends each call of a bucket as an HTTP request of its own. */

import { readJsonBody } from "./answers.ts";
import {
  operationsOnlyRead,
  transactionOnlyReads,
  type Caller,
  type JsonObject,
  type EncodedTransaction,
} from "./caller.ts";
import { stringifyJson } from "./stringify-json.ts";
import type { Http } from "./http.ts";
import { idempotencyHeader } from "./idempotency.ts";
import type { CallOptions, OnceOptions } from "./types.ts";

export class HttpCaller implements Caller {
  readonly #http: Http;
  readonly #path: string;

  constructor(http: Http, path: string) {
    this.#http = http;
    this.#path = path;
  }

  batch(operations: readonly JsonObject[], options: CallOptions): Promise<unknown> {
    const repeatable = operationsOnlyRead(operations);
    const request = { method: "POST", body: stringifyJson(operations), ...options, repeatable };
    return this.#http.ask(`${this.#path}/batch`, request, readJsonBody);
  }

  transact(transaction: EncodedTransaction, options: CallOptions & OnceOptions): Promise<unknown> {
    const { idempotencyKey, ...call } = options;
    const request = {
      method: "POST",
      headers: idempotencyHeader(idempotencyKey),
      body: stringifyJson(transaction),
      ...call,
      repeatable: idempotencyKey !== undefined || transactionOnlyReads(transaction),
    };
    return this.#http.ask(`${this.#path}/transaction`, request, readJsonBody);
  }

  list(query: JsonObject, options: CallOptions): Promise<unknown> {
    const request = { query: query as Record<string, string>, ...options, repeatable: true };
    return this.#http.ask(`${this.#path}/keys`, request, readJsonBody);
  }
}
