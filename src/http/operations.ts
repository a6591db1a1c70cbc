/** Increment, batch, transaction. */

import { checkJson } from "../schema/check.ts";
import {
  BatchJson,
  IncrementJson,
  incrementOf,
  operationsOf,
  TransactionJson,
  transactionOf,
} from "../schema/operations.ts";
import { readText } from "./body.ts";
import { perform } from "./respond-async.ts";
import type { Context } from "./context.ts";
import { conditionsOf } from "./etags.ts";
import { idempotencyOf, replayHeader } from "./idempotency.ts";
import { jsonText } from "./json-text.ts";
import { bucketNotFound, keyOf } from "./keys.ts";
import { READ } from "../directory/directory.ts";
import { readsOnly } from "../store/executor.ts";
import { onlyReads } from "../store/transaction.ts";

/** `POST …/keys/{k}/increment` `{by, initial, ttl}`: adds to a counter, atomically. */
export async function incrementKey(request: Request, context: Context): Promise<Response> {
  const { directory, target } = context;
  const name = target.bucket;
  const key = keyOf(target);
  const conditions = conditionsOf(request.headers);
  const body = await readText(request);
  const json = body.byteLength === 0 ? {} : await checkJson(IncrementJson, body);
  const increment = incrementOf(json);
  const idempotency = await idempotencyOf(request, ["increment", key, increment, conditions]);
  return perform(request, context, async () => {
    const done = await directory.call(name, (bucket) =>
      bucket.increment(key, increment, { conditions, idempotency }),
    );
    if (done === undefined) throw bucketNotFound(name);
    const { result, replayed } = done;
    return jsonText(result, replayHeader(replayed));
  });
}

/** `POST …/batch` `[{op, key, …}]`: many operations in one round trip, each by itself. */
export async function runBatch(request: Request, context: Context): Promise<Response> {
  const { directory, target } = context;
  const name = target.bucket;
  const operations = await operationsOf(await checkJson(BatchJson, await readText(request)));
  return perform(request, context, async () => {
    const results = await directory.call(
      name,
      (bucket) => bucket.batch(operations),
      readsOnly(operations) ? READ : undefined,
    );
    if (results === undefined) throw bucketNotFound(name);
    return jsonText(results);
  });
}

/** `POST …/transaction` `{if, then, else}`: compares, then does one list of operations, all or nothing. */
export async function runTransaction(request: Request, context: Context): Promise<Response> {
  const { directory, target } = context;
  const name = target.bucket;
  const json = await checkJson(TransactionJson, await readText(request));
  const transaction = await transactionOf(json);
  const idempotency = await idempotencyOf(request, ["transaction", transaction]);
  return perform(request, context, async () => {
    const done = await directory.call(
      name,
      (bucket) => bucket.transact(transaction, idempotency),
      idempotency === undefined && onlyReads(transaction) ? READ : undefined,
    );
    if (done === undefined) throw bucketNotFound(name);
    return jsonText(done.result, replayHeader(done.replayed));
  });
}
