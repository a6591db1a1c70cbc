/** What a session has to answer to a request: as the call over HTTP would, over the model of a bucket. */

import type { Api } from "../support/api.ts";
import { having, isObject, Matcher } from "../support/expect.ts";
import { errorOf, Refused, type ListQuery, type ModelBucket } from "./bucket.ts";
import { isIdempotencyKey } from "./limits.ts";
import { meaningOf } from "./meaning.ts";
import {
  batch,
  faultsOfOperations,
  faultsOfTransaction,
  transact,
  type Operation,
  type Transaction,
} from "./operations.ts";
import { decoded64 } from "./request.ts";

interface Request {
  readonly id: number;
  readonly batch?: readonly Operation[];
  readonly transaction?: Transaction;
  readonly idempotencyKey?: string;
  readonly list?: ListQuery & { readonly cursor?: string };
}

export class SessionModel {
  readonly #api: Api;
  readonly #bucket: ModelBucket;

  constructor(api: Api, bucket: ModelBucket) {
    this.#api = api;
    this.#bucket = bucket;
  }

  /** `{id, ok}` or `{id, error}`. */
  answer(given: unknown): unknown {
    const id = isObject(given) && isId(given["id"]) ? given["id"] : null;
    const isTaken = this.#api.takes("SessionRequest", given);
    const request = given as Request;
    // Of several things that are wrong it is open which one is told.
    const faults = isTaken ? faultsOf(request) : ["body_invalid", ...otherFaults(request)];
    if (faults.length > 0) {
      const code = new Matcher(faults.join(" or "), (one) => faults.includes(String(one)));
      return { id, error: having({ code }) };
    }
    try {
      return this.#answer(request);
    } catch (error) {
      if (error instanceof Refused) return { id, error: errorOf(error.code) };
      throw error;
    }
  }

  #answer({ id, batch: operations, transaction, idempotencyKey, list }: Request): unknown {
    if (operations !== undefined) return { id, ok: batch(this.#bucket, operations) };
    if (list !== undefined) {
      const { cursor, ...query } = list;
      const after = cursor === undefined ? undefined : decoded64(cursor);
      return { id, ok: this.#bucket.list({ ...query, after }) };
    }
    return this.#once(id, transaction ?? {}, idempotencyKey);
  }

  #once(id: number, transaction: Transaction, key: string | undefined): unknown {
    const { remembered } = this.#bucket;
    const request = ["transaction", transaction];
    const meaning = meaningOf(request);
    const before = key === undefined ? undefined : remembered.get(key);
    if (before === undefined) {
      const answer = transact(this.#bucket, transaction);
      if (key !== undefined) remembered.set(key, { meaning, answer });
      return { id, ok: answer };
    }
    if (before.meaning !== meaning) return { id, error: errorOf("idempotency_key_reused") };
    return { id, ok: before.answer };
  }
}

/** One that can't be read can't come back. */
function isId(id: unknown): boolean {
  return typeof id === "number" && Number.isSafeInteger(id) && id >= 0;
}

/** As {@link faultsOf}, of what may have any shape. */
function otherFaults(request: Request): string[] {
  try {
    return faultsOf(request);
  } catch (error) {
    if (error instanceof TypeError) return [];
    throw error;
  }
}

function faultsOf({ batch: operations, transaction, idempotencyKey, list }: Request): string[] {
  if (operations !== undefined) return faultsOfOperations(operations);
  if (list === undefined) {
    const wrongKey = idempotencyKey !== undefined && !isIdempotencyKey(idempotencyKey);
    return [...faultsOfTransaction(transaction ?? {}), ...(wrongKey ? ["header_invalid"] : [])];
  }
  const { cursor, prefix = "", start = "", end = "" } = list;
  const after = cursor === undefined ? undefined : decoded64(cursor);
  return [
    ...([prefix, start, end].every((text) => text.isWellFormed()) ? [] : ["body_invalid"]),
    ...(cursor !== undefined && (after === undefined || after === "") ? ["cursor_invalid"] : []),
  ];
}
