/** Handlers for batches and transactions. */

import { readText } from "../directory/body.ts";
import { onceFor } from "../model/idempotency.ts";
import { checkJson, parseJsonInPieces } from "../schema/check.ts";
import { operationsOf, TransactionJson, transactionOf } from "../schema/operations.ts";
import { checkBatch } from "../schema/plain.ts";
import type { Context } from "./context.ts";
import { idempotencyKeyOf, replayHeader } from "./idempotency.ts";
import { jsonText } from "./json-text.ts";
import { respond } from "./respond-async.ts";

/** `POST …/batch` `[{op, key, …}]`: runs many independent operations in one round trip. */
export async function runBatch(request: Request, context: Context): Promise<Response> {
  const { bucket } = context;
  const operations = await operationsOf(checkBatch(await parseJsonInPieces(await readText(request))));
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
