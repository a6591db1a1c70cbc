/** What is said of a bucket that does not exist, where a write would create it. */

import type { BatchResults } from "../contract/operations.ts";
import type { Operation } from "../model/operation.ts";

/** The results of operations that store nothing; undefined if one of them needs a bucket. */
export function resultsWithoutBucket(operations: readonly Operation[]): BatchResults["results"] | undefined {
  const results = operations.map(resultWithoutBucket);
  return results.includes(undefined) ? undefined : (results as BatchResults["results"]);
}

function resultWithoutBucket({
  op,
  key,
  conditions,
}: Operation): BatchResults["results"][number] | undefined {
  // A key that has to match is refused, by a bucket.
  if (conditions?.ifMatch !== undefined) return undefined;
  if (op === "get" || op === "getAndDelete") return { op, key, found: false };
  return op === "delete" ? { op, key, deleted: false } : undefined;
}

/** Whether a list goes on: it is not complete because its bucket has ended meanwhile. */
export function hasCursor(query: unknown): boolean {
  return typeof query === "object" && query !== null && "cursor" in query && query.cursor !== undefined;
}
