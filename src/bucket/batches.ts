/** Batches of operations, one or several in a transaction. Synchronous. */

import type { Operation } from "../model/operation.ts";
import type { JsonText } from "../rpc/bucket-calls.ts";
import { batchText } from "../schema/result-json.ts";
import type { Entries } from "../store/entries.ts";
import { Executor } from "../store/executor.ts";
import { JsonRoom } from "../store/json-room.ts";

/** Runs a batch; a refused operation does not affect the others. @returns JSON: `BatchResults` */
export function runBatch(entries: Entries, incarnation: string, operations: readonly Operation[]): JsonText {
  const executor = new Executor(entries, incarnation, new JsonRoom());
  const outcomes = operations.map((operation) => executor.attempt(operation));
  return batchText(incarnation, operations, outcomes);
}

/** Runs batches in order. @returns the results of the first ones, at least one, until they have `limit` characters */
export function runBatches(
  entries: Entries,
  incarnation: string,
  batches: readonly (readonly Operation[])[],
  limit: number,
): JsonText[] {
  const texts: JsonText[] = [];
  let length = 0;
  for (const operations of batches) {
    const text = runBatch(entries, incarnation, operations);
    texts.push(text);
    length += text.length;
    if (length > limit) break;
  }
  return texts;
}
