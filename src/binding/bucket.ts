/** The methods of one bucket, for other Workers over RPC. */

import { RpcTarget } from "cloudflare:workers";
import type { Incremented, KeysPage, Written } from "../contract/entries.ts";
import type { BatchResults, TransactionResults } from "../contract/operations.ts";
import type { BucketHandle } from "../directory/bucket-handle.ts";
import { incarnationOfTag } from "../model/conditions.ts";
import { decodeKeyCursor, encodeKeyCursor } from "../model/cursor.ts";
import { KvError } from "../model/errors.ts";
import { onceFor } from "../model/idempotency.ts";
import { MAX_PAGE } from "../model/limits.ts";
import { contentType, key as checkedKey, metadataJson } from "../model/validators.ts";
import type { Operation } from "../model/operation.ts";
import { BYTES_TYPE } from "../model/value.ts";
import { entryJson } from "../schema/entry-json.ts";
import {
  BatchJson,
  BoundConditionsJson,
  BoundIncrementJson,
  BoundOnceJson,
  BoundPutJson,
  conditionsOf,
  IncrementJson,
  incrementOf,
  lifetimeOf,
  operationsOf,
  TransactionJson,
  transactionOf,
} from "../schema/operations.ts";
import { ListKeysQuery, RangeQuery } from "../schema/requests.ts";
import { parsedMetadata, readJson } from "./exact-json.ts";
import { getAndDelete } from "./get-and-delete.ts";
import { checkGiven } from "./given.ts";
import { hasCursor, resultsWithoutBucket } from "./no-bucket.ts";
import type { Reach } from "./reach.ts";
import type { BucketBinding, Conditions, Once, Properties, ValueEntry } from "./types.ts";
import { givenValue, wanted, type GivenValue, type ValueType } from "./values.ts";

/**
 * One bucket. It need not exist: every method then throws `bucket_not_found`. Options are checked: an invalid one is
 * `body_invalid` or `query_invalid`, and an invalid key `key_invalid` or `key_too_long`.
 */
export class BoundBucket
  extends RpcTarget
  implements Omit<BucketBinding, "get" | "getEntry" | "getAndDelete">
{
  readonly #reach: Reach;

  constructor(reach: Reach) {
    super();
    this.#reach = reach;
  }

  /** Reads a value, as text by default; null if the key does not exist. @throws `value_invalid`, `result_too_large` */
  get(key: string, type: ValueType = "text"): Promise<unknown> {
    return this.#reach.read(null, async (bucket) => (await entryOf(bucket, key, type))?.value ?? null);
  }

  /** Like {@link get}, with the entry's properties. */
  getEntry(key: string, type: ValueType = "text"): Promise<ValueEntry<unknown> | null> {
    return this.#reach.read(null, (bucket) => entryOf(bucket, key, type));
  }

  /**
   * Stores a value of up to 25 MiB. It replaces the value and all properties.
   * @throws `precondition_failed`, `expires_invalid`, `value_invalid`, `value_too_large`, `metadata_too_large`
   */
  put(key: string, value: GivenValue, options: Properties & Conditions = {}): Promise<Written> {
    return this.#reach.write(async (bucket, create) => {
      const name = checkedKey(key);
      const { type, metadata, ...rest } = checkGiven(BoundPutJson, options, "body_invalid");
      const properties = {
        type: type === undefined ? (typeof value === "string" ? null : BYTES_TYPE) : contentType(type),
        lifetime: lifetimeOf(rest),
        metadata: metadata === undefined ? null : metadataJson(metadata),
        conditions: conditionsOf(rest) ?? {},
      };
      const given = givenValue(value);
      if (value instanceof ReadableStream) await create();
      return bucket.put(name, given, properties);
    });
  }

  /** Deletes a key. @returns whether it existed @throws `precondition_failed` */
  delete(key: string, conditions: Conditions = {}): Promise<boolean> {
    return this.#reach.write(
      async (bucket) => {
        const name = checkedKey(key);
        return bucket.delete(name, conditionsOf(checkGiven(BoundConditionsJson, conditions, "body_invalid")));
      },
      () => (conditions.ifMatch === undefined ? false : undefined),
    );
  }

  /**
   * Reads a value and deletes its key, atomically; null if the key does not exist. A refused call deletes nothing.
   * @throws `precondition_failed`, `value_invalid`, `result_too_large`
   */
  getAndDelete(key: string, type: ValueType = "text", conditions: Conditions = {}): Promise<unknown> {
    return this.#reach.write<unknown>(
      async (bucket) => {
        const name = checkedKey(key);
        const given = conditionsOf(checkGiven(BoundConditionsJson, conditions, "body_invalid")) ?? {};
        return getAndDelete(bucket, name, type, given);
      },
      () => (conditions.ifMatch === undefined ? null : undefined),
    );
  }

  /** Adds to a counter, atomically. @throws `not_an_integer`, `increment_overflow`, `precondition_failed` */
  increment(key: string, options: unknown = {}, once: Once & Conditions = {}): Promise<Incremented> {
    return this.#reach.write(async (bucket) => {
      const name = checkedKey(key);
      const json = checkGiven(IncrementJson, options, "body_invalid");
      const { idempotencyKey, ...given } = checkGiven(BoundIncrementJson, once, "body_invalid");
      const conditions = conditionsOf(given) ?? {};
      const increment = incrementOf(json);
      const idempotency = await onceFor(idempotencyKey, ["increment", name, increment, conditions]);
      const { result } = await bucket.increment(name, increment, { conditions, idempotency });
      return readJson(result) as Incremented;
    });
  }

  /** A page of keys: `{prefix, start, end, reverse, values, cursor, limit}`. @throws `cursor_invalid`, `bucket_changed` */
  list(query: unknown = {}): Promise<KeysPage> {
    const page = async (bucket: BucketHandle): Promise<KeysPage> => {
      const { cursor, limit = MAX_PAGE, ...range } = checkGiven(ListKeysQuery, query, "query_invalid");
      const found = await bucket.entries({ ...range, ...decodeKeyCursor(cursor), limit });
      const { incarnation, entries, more } = found;
      const last = entries.at(-1);
      return {
        keys: entries.map(({ key, value, ...info }) =>
          parsedMetadata(entryJson(incarnation, key, info, value)),
        ),
        ...(more && last !== undefined ? { cursor: encodeKeyCursor(incarnation, last.key) } : {}),
      };
    };
    return hasCursor(query) ? this.#reach.verb(page) : this.#reach.read({ keys: [] }, page);
  }

  /** Deletes all keys of a range: `{prefix, start, end}`. @returns how many keys were deleted */
  deleteRange(query: unknown): Promise<number> {
    return this.#reach.read(0, async (bucket) => {
      const range = checkGiven(RangeQuery, query, "query_invalid");
      // RPC also sends undefined members: a forgotten variable must not delete everything.
      if (range.prefix === undefined && range.start === undefined && range.end === undefined) {
        throw new KvError("query_invalid", "Say which keys to delete: prefix, start or end.");
      }
      return bucket.deleteRange(range);
    });
  }

  /** Runs up to 1,000 operations in one round trip. A refused one has an `error` and does not affect the others. */
  batch(operations: unknown): Promise<BatchResults["results"]> {
    let checked: readonly Operation[] = [];
    return this.#reach.write(
      async (bucket) => {
        checked = await operationsOf(checkGiven(BatchJson, operations, "body_invalid"));
        return (readJson(await bucket.batch(checked)) as BatchResults).results;
      },
      () => resultsWithoutBucket(checked),
    );
  }

  /** Compares, then runs one list of operations, all or nothing. @throws what the refused operation throws */
  transaction(transaction: unknown, once: Once = {}): Promise<TransactionResults> {
    return this.#reach.write(async (bucket) => {
      const json = checkGiven(TransactionJson, transaction, "body_invalid");
      const { idempotencyKey } = checkGiven(BoundOnceJson, once, "body_invalid");
      const checked = await transactionOf(json);
      const idempotency = await onceFor(idempotencyKey, ["transaction", checked]);
      const { result } = await bucket.transact(checked, idempotency);
      return readJson(result) as TransactionResults;
    });
  }
}

async function entryOf(
  bucket: BucketHandle,
  key: string,
  type: ValueType,
): Promise<ValueEntry<unknown> | null> {
  const name = checkedKey(key);
  const found = await bucket.get(name);
  if (found.outcome !== "found") return null;
  const { entry, etag, value } = found;
  return {
    ...parsedMetadata(entryJson(incarnationOfTag(etag), name, entry)),
    value: await wanted(value, type),
  };
}
