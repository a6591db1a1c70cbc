/** Reads and writes of many keys, in as few round trips as the service's limits allow. For the stores of other libraries. */

import { afterOthers } from "./after-others.ts";
import type { Bucket } from "./bucket.ts";
import { byType } from "./by-type.ts";
import { KvError } from "./errors.ts";
import type { Operation, Properties, Result } from "./types.ts";

/** Most operations in a batch, and most bytes of their values. The service's limits are 1,000 and 16 MiB of JSON. */
const MAX_BATCH_OPERATIONS = 1_000;
const MAX_BATCH_BYTES = 2_097_152;
/** Largest value in a batch, in bytes. A larger one has a request of its own. */
const MAX_BATCHED_VALUE_BYTES = 1_048_576;
/** Parallel reads of values that are too large for a batch. */
const CONCURRENT_READS = 8;

/** A value to store. */
export interface Setting<Value> extends Properties {
  readonly key: string;
  readonly value: Value;
}

type Values<Value> = Bucket<Record<string, Value>>;

/** @returns the values by their keys; those that do not exist are left out @throws {KvError} */
export async function getMany<Value>(
  bucket: Values<Value>,
  keys: readonly string[],
): Promise<Map<string, Value>> {
  const values = new Map<string, Value>();
  let unread = keys;
  const large: string[] = [];
  // Results that did not fit are read again. Each response has room for at least its first value, so this ends.
  while (unread.length > 0) {
    const retried: string[] = [];
    const results = await runMany(
      bucket,
      unread.map((key) => ({ op: "get", key })),
    );
    for (const [index, result] of results.entries()) {
      const key = unread[index] ?? "";
      if (result instanceof KvError) {
        if (result.code !== "result_too_large") throw result;
        retried.push(key);
      } else if (result.op === "get" && result.found) {
        if (result.value === undefined) large.push(key);
        else values.set(key, result.value);
      }
    }
    unread = retried;
  }
  await withConcurrency(large, async (key) => {
    const value = await bucket.get(key);
    if (value !== undefined) values.set(key, value);
  });
  return values;
}

/** Stores many values. If a key occurs more than once, the last one wins. @throws {KvError} for the first that failed */
export async function putMany<Value>(
  bucket: Values<Value>,
  settings: readonly Setting<Value>[],
): Promise<void> {
  const last = [...new Map(settings.map((setting) => [setting.key, setting])).values()];
  const isLarge = ({ value }: Setting<Value>): boolean => sizeUpperBound(value) > MAX_BATCHED_VALUE_BYTES;
  const operations = last
    .filter((setting) => !isLarge(setting))
    .map((setting) => ({ op: "put" as const, ...setting }));
  let done = allDone(await runMany(bucket, operations)).length;
  for (const { key, value, ...properties } of last.filter(isLarge)) {
    await bucket.put(key, value, properties).catch(rethrowAfter(done));
    done += 1;
  }
}

/** @returns the results, if none is an error @throws {KvError} the first error, which says whether others were done */
export function allDone<Value>(results: readonly (Result<Value> | KvError)[]): Result<Value>[] {
  const done = results.filter((result): result is Result<Value> => !(result instanceof KvError));
  const failed = results.find((result) => result instanceof KvError);
  return failed === undefined ? done : rethrowAfter(done.length)(failed);
}

const SOME_DONE = "Others of the same call were carried out.";

/** @param done how many operations of the same call were carried out before */
function rethrowAfter(done: number): (error: unknown) => never {
  return (error) => {
    throw done > 0 && error instanceof KvError ? afterOthers(error, SOME_DONE, { done }) : error;
  };
}

/** Runs operations in as many sequential batches as the limits require. @returns one result per operation, in order */
export async function runMany<Value>(
  bucket: Values<Value>,
  operations: readonly Operation<Record<string, Value>>[],
): Promise<(Result<Value> | KvError)[]> {
  const results: (Result<Value> | KvError)[] = [];
  for (const part of inBatches(operations)) {
    const run = await bucket.batch(part).catch((error: unknown) => {
      // Reads change nothing, and refused operations did not.
      const changes = results.filter((result) => !(result instanceof KvError) && result.op !== "get");
      return rethrowAfter(changes.length)(error);
    });
    results.push(...run);
  }
  return results;
}

function* inBatches<One extends Operation>(operations: readonly One[]): Generator<One[], void, void> {
  let part: One[] = [];
  let bytes = 0;
  for (const operation of operations) {
    const size = operation.op === "put" ? sizeUpperBound(operation.value) : 0;
    if (part.length === MAX_BATCH_OPERATIONS || (part.length > 0 && bytes + size > MAX_BATCH_BYTES)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(operation);
    bytes += size;
  }
  if (part.length > 0) yield part;
}

/** An upper bound of the value's size in bytes. */
function sizeUpperBound(value: unknown): number {
  const encoded = byType.encode(value);
  return typeof encoded === "string" ? encoded.length * 3 : encoded.byteLength;
}

async function withConcurrency<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  // All workers take their items from this one iterator.
  const next = items.values();
  const worker = async (): Promise<void> => {
    for (const item of next) await work(item);
  };
  await Promise.all(Array.from({ length: CONCURRENT_READS }, worker));
}
