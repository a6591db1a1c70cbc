/** A bucket's verbs, for other Workers. */

import { RpcTarget } from "cloudflare:workers";
import type { PutOptions } from "../bucket/bucket.ts";
import { entryJson, type KeysPage } from "../schema/entry-json.ts";
import { onceFor } from "../store/idempotency.ts";
import { preconditionFailed, readsOnly, type BatchResult, type Incremented } from "../store/executor.ts";
import { removeAll } from "../directory/delete-range.ts";
import { onlyReads, type TransactionResult } from "../store/transaction.ts";
import { behindKey } from "../model/cursor.ts";
import { KvError } from "../model/errors.ts";
import { contentType, key as checkedKey, MAX_PAGE, metadataJson } from "../model/limits.ts";
import { BYTES_TYPE } from "../model/value.ts";
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
import type { BucketBinding, Conditions, Once, Properties, ValueEntry, Written } from "./types.ts";
import { taken, wanted, type GivenValue, type ValueType } from "./values.ts";
import { READ } from "../directory/directory.ts";

/** One bucket, which need not be there: then every verb is `bucket_not_found`. */
export class BoundBucket extends RpcTarget implements Omit<BucketBinding, "get" | "getEntry"> {
  readonly #bucket: Reach;

  constructor(bucket: Reach) {
    super();
    this.#bucket = bucket;
  }

  /** The value, as text if nothing else is said; null if the key is not there. */
  get(key: string, type: ValueType = "text"): Promise<unknown> {
    return this.#bucket.verb(async () => (await this.#entry(key, type))?.value ?? null);
  }

  /** The value with what is kept beside it; null if the key is not there. */
  getEntry(key: string, type: ValueType = "text"): Promise<ValueEntry<unknown> | null> {
    return this.#bucket.verb(() => this.#entry(key, type));
  }

  put(key: string, value: GivenValue, options: Properties & Conditions = {}): Promise<Written> {
    return this.#bucket.verb(async () => {
      const name = checkedKey(key);
      const { type, metadata, ...rest } = checkGiven(BoundPutJson, options, "body_invalid");
      const put: PutOptions = {
        type: type === undefined ? (typeof value === "string" ? null : BYTES_TYPE) : contentType(type),
        lifetime: lifetimeOf(rest),
        metadata: metadata === undefined ? null : metadataJson(metadata),
        conditions: conditionsOf(rest) ?? {},
      };
      const { transfer } = this.#bucket;
      const given = this.#there(await taken(value, transfer));
      const written = this.#there(await transfer.store(given, (bucket) => bucket.put(name, given, put)));
      if (written.outcome === "precondition_failed") throw preconditionFailed();
      const { created, revision, etag } = written;
      return { created, revision, etag };
    });
  }

  /** @returns whether the key was there. */
  delete(key: string, conditions: Conditions = {}): Promise<boolean> {
    return this.#bucket.verb(async () => {
      const name = checkedKey(key);
      const checked = conditionsOf(checkGiven(BoundConditionsJson, conditions, "body_invalid")) ?? {};
      const removed = this.#there(await this.#bucket.call((bucket) => bucket.remove(name, checked)));
      if (removed.outcome === "precondition_failed") throw preconditionFailed();
      return removed.outcome === "removed";
    });
  }

  increment(key: string, options: unknown = {}, once: Once & Conditions = {}): Promise<Incremented> {
    return this.#bucket.verb(async () => {
      const name = checkedKey(key);
      const json = checkGiven(IncrementJson, options, "body_invalid");
      const { idempotencyKey, ...given } = checkGiven(BoundIncrementJson, once, "body_invalid");
      const conditions = conditionsOf(given) ?? {};
      const increment = incrementOf(json);
      const idempotency = await onceFor(idempotencyKey, ["increment", name, increment, conditions]);
      const done = this.#there(
        await this.#bucket.call((bucket) => bucket.increment(name, increment, { conditions, idempotency })),
      );
      return readJson(done.result) as Incremented;
    });
  }

  /** A page of keys: `{prefix, start, end, reverse, values, cursor, limit}`. */
  list(query: unknown = {}): Promise<KeysPage> {
    return this.#bucket.verb(async () => {
      const { cursor, limit = MAX_PAGE, ...range } = checkGiven(ListQuery, query, "query_invalid");
      const place = behindKey(cursor);
      const page = await this.#bucket.call((bucket) => bucket.list({ ...range, ...place, limit }), READ);
      return readJson(this.#there(page)) as KeysPage;
    });
  }

  /** Deletes all keys of a range: `{prefix, start, end}`. @returns how many there were. */
  deleteRange(query: unknown): Promise<number> {
    return this.#bucket.verb(async () => {
      const range = checkGiven(RangeQuery, query, "query_invalid");
      // Over RPC what is undefined is there all the same: a variable that was forgotten must not mean everything.
      if (range.prefix === undefined && range.start === undefined && range.end === undefined) {
        throw new KvError("query_invalid", "Say which keys: prefix, start or end.");
      }
      return this.#there(await removeAll(this.#bucket.directory.whereis(this.#bucket.name), range));
    });
  }

  batch(operations: unknown): Promise<BatchResult["results"]> {
    return this.#bucket.verb(async () => {
      const checked = await operationsOf(checkGiven(BatchJson, operations, "body_invalid"));
      const answer = this.#there(
        await this.#bucket.call((bucket) => bucket.batch(checked), readsOnly(checked) ? READ : undefined),
      );
      return (readJson(answer) as BatchResult).results;
    });
  }

  transaction(transaction: unknown, once: Once = {}): Promise<TransactionResult> {
    return this.#bucket.verb(async () => {
      const json = checkGiven(TransactionJson, transaction, "body_invalid");
      const { idempotencyKey } = checkGiven(BoundOnceJson, once, "body_invalid");
      const checked = await transactionOf(json);
      const idempotency = await onceFor(idempotencyKey, ["transaction", checked]);
      const done = await this.#bucket.call(
        (bucket) => bucket.transact(checked, idempotency),
        idempotency === undefined && onlyReads(checked) ? READ : undefined,
      );
      return readJson(this.#there(done).result) as TransactionResult;
    });
  }

  async #entry(key: string, type: ValueType): Promise<ValueEntry<unknown> | null> {
    const name = checkedKey(key);
    const found = this.#there(await this.#bucket.call((bucket) => bucket.get(name, {}), READ));
    if (found.outcome !== "found") return null;
    const { entry, etag } = found;
    const incarnation = etag.slice(0, etag.lastIndexOf("-"));
    return {
      ...parsedMetadata(entryJson(incarnation, name, entry)),
      value: await wanted(entry, type, this.#bucket.transfer),
    };
  }

  #there<T>(answer: T | undefined): T {
    if (answer !== undefined) return answer;
    throw new KvError(
      "bucket_not_found",
      `There is no bucket ${this.#bucket.name}. Create it: create("${this.#bucket.name}")`,
    );
  }
}
