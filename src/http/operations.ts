/** Handlers for increment, batch and transaction. */

import { readText } from "../directory/body.ts";
import { onceFor } from "../model/idempotency.ts";
import { checkJson } from "../schema/check.ts";
import {
  BatchJson,
  IncrementJson,
  incrementOf,
  operationsOf,
  TransactionJson,
  transactionOf,
} from "../schema/operations.ts";
import type { Context } from "./context.ts";
import { conditionsOf } from "./etags.ts";
import { jsonText } from "./json-text.ts";
import { keyOf } from "./keys.ts";
import { respond } from "./respond-async.ts";

/** `POST …/keys/{k}/increment` `{by, initial, ttl}`: adds to a counter, atomically. */
export async function incrementKey(request: Request, context: Context): Promise<Response> {
  const { target, bucket } = context;
  const key = keyOf(target);
  const conditions = conditionsOf(request.headers);
  const body = await readText(request);
  const json = body.byteLength === 0 ? {} : await checkJson(IncrementJson, body);
  const increment = incrementOf(json);
  const idempotency = await onceFor(idempotencyKeyOf(request), ["increment", key, increment, conditions]);
  return respond(request, context, async () => {
    const { result, replayed } = await bucket.increment(key, increment, { conditions, idempotency });
    return jsonText(result, replayHeader(replayed));
  });
}

/** `POST …/batch` `[{op, key, …}]`: runs many independent operations in one round trip. */
export async function runBatch(request: Request, context: Context): Promise<Response> {
  const { bucket } = context;
  const operations = await operationsOf(await checkJson(BatchJson, await readText(request)));
  return respond(request, context, async () => jsonText(await bucket.batch(operations)));
}

/** `POST …/transaction` `{if, then, else}`: compares, then runs one list of operations, all or nothing. */
export async function runTransaction(request: Request, context: Context): Promise<Response> {
  const { bucket } = context;
  const transaction = await transactionOf(await checkJson(TransactionJson, await readText(request)));
  const idempotency = await onceFor(idempotencyKeyOf(request), ["transaction", transaction]);
  return respond(request, context, async () => {
    const { result, replayed } = await bucket.transact(transaction, idempotency);
    return jsonText(result, replayHeader(replayed));
  });
}

function idempotencyKeyOf({ headers }: Request): string | null {
  return headers.get("Idempotency-Key");
}

/** `Idempotency-Replayed`, if the result is that of an earlier request. */
function replayHeader(replayed: boolean): Record<string, string> {
  return replayed ? { "Idempotency-Replayed": "true" } : {};
}
