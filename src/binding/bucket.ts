/** A bucket's verbs, for other Workers. */

import { RpcTarget } from "cloudflare:workers";
import type { Incremented, KeysPage, Written } from "../contract/entries.ts";
import type { BatchResults, TransactionResults } from "../contract/operations.ts";
import type { BucketHandle } from "../directory/bucket-handle.ts";
import { incarnationOfTag } from "../model/conditions.ts";
import { behindKey, keyCursorOf } from "../model/cursor.ts";
import { KvError } from "../model/errors.ts";
import { onceFor } from "../model/idempotency.ts";
import { MAX_PAGE } from "../model/limits.ts";
import { contentType, key as checkedKey, metadataJson } from "../model/validators.ts";
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
import { ListQuery, RangeQuery } from "../schema/requests.ts";
import { parsedMetadata, readJson } from "./exact-json.ts";
import { checkGiven } from "./given.ts";
import type { Reach } from "./reach.ts";
import type { BucketBinding, Conditions, Once, Properties, ValueEntry } from "./types.ts";
import { givenValue, wanted, type GivenValue, type ValueType } from "./values.ts";

/** One bucket, which need not be there: then every verb throws `bucket_not_found`. */
export class BoundBucket extends RpcTarget implements Omit<BucketBinding, "get" | "getEntry"> {
  readonly #reach: Reach;

  constructor(reach: Reach) {
    super();
    this.#reach = reach;
  }

  /** The value, as text if nothing else is asked for; null if the key is not there. */
  get(key: string, type: ValueType = "text"): Promise<unknown> {
    return this.#reach.verb(async (bucket) => (await entryOf(bucket, key, type))?.value ?? null);
  }

  /** The value with what is kept beside it; null if the key is not there. */
  getEntry(key: string, type: ValueType = "text"): Promise<ValueEntry<unknown> | null> {
    return this.#reach.verb((bucket) => entryOf(bucket, key, type));
  }

  put(key: string, value: GivenValue, options: Properties & Conditions = {}): Promise<Written> {
    return this.#reach.verb(async (bucket) => {
      const name = checkedKey(key);
      const { type, metadata, ...rest } = checkGiven(BoundPutJson, options, "body_invalid");
      return bucket.put(name, givenValue(value), {
        type: type === undefined ? (typeof value === "string" ? null : BYTES_TYPE) : contentType(type),
        lifetime: lifetimeOf(rest),
        metadata: metadata === undefined ? null : metadataJson(metadata),
        conditions: conditionsOf(rest) ?? {},
      });
    });
  }

  /** @returns whether the key was there. */
  delete(key: string, conditions: Conditions = {}): Promise<boolean> {
    return this.#reach.verb(async (bucket) => {
      const name = checkedKey(key);
      return bucket.delete(name, conditionsOf(checkGiven(BoundConditionsJson, conditions, "body_invalid")));
    });
  }

  increment(key: string, options: unknown = {}, once: Once & Conditions = {}): Promise<Incremented> {
    return this.#reach.verb(async (bucket) => {
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

  /** A page of keys: `{prefix, start, end, reverse, values, cursor, limit}`. */
  list(query: unknown = {}): Promise<KeysPage> {
    return this.#reach.verb(async (bucket) => {
      const { cursor, limit = MAX_PAGE, ...range } = checkGiven(ListQuery, query, "query_invalid");
      const page = await bucket.entries({ ...range, ...behindKey(cursor), limit });
      const { incarnation, entries, more } = page;
      const last = entries.at(-1);
      return {
        keys: entries.map(({ key, value, ...info }) =>
          parsedMetadata(entryJson(incarnation, key, info, value)),
        ),
        ...(more && last !== undefined ? { cursor: keyCursorOf(incarnation, last.key) } : {}),
      };
    });
  }

  /** Deletes all keys of a range: `{prefix, start, end}`. @returns how many there were. */
  deleteRange(query: unknown): Promise<number> {
    return this.#reach.verb(async (bucket) => {
      const range = checkGiven(RangeQuery, query, "query_invalid");
      // Over RPC undefined members are sent too: a variable that was forgotten must not mean everything.
      if (range.prefix === undefined && range.start === undefined && range.end === undefined) {
        throw new KvError("query_invalid", "Say which keys: prefix, start or end.");
      }
      return bucket.deleteRange(range);
    });
  }

  batch(operations: unknown): Promise<BatchResults["results"]> {
    return this.#reach.verb(async (bucket) => {
      const checked = await operationsOf(checkGiven(BatchJson, operations, "body_invalid"));
      return (readJson(await bucket.batch(checked)) as BatchResults).results;
    });
  }

  transaction(transaction: unknown, once: Once = {}): Promise<TransactionResults> {
    return this.#reach.verb(async (bucket) => {
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
