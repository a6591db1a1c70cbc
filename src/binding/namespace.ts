/** A bucket as a `KVNamespace`: the API of the Workers KV binding, strongly consistent. */

import { RpcTarget } from "cloudflare:workers";
import * as z from "zod/mini";
import type { BatchResults } from "../contract/operations.ts";
import { orNoBucket, type BucketHandle } from "../directory/bucket-handle.ts";
import { decodeKeyCursor, encodeKeyCursor } from "../model/cursor.ts";
import type { Properties } from "../model/entry.ts";
import { KvError } from "../model/errors.ts";
import type { Lifetime } from "../model/lifetime.ts";
import { MAX_PAGE } from "../model/limits.ts";
import { key as checkedKey, metadataJson } from "../model/validators.ts";
import { BYTES_TYPE } from "../model/value.ts";
import { BucketsQuery } from "../schema/requests.ts";
import { readJson } from "./exact-json.ts";
import { checkGiven } from "./given.ts";
import type { Reach } from "./reach.ts";
import { givenValue, ofText, MessageRoom, TYPES, wanted, type GivenValue, type ValueType } from "./values.ts";

/** The most keys in one `get`: Workers KV's limit. */
const MAX_KEYS = 100;

export interface NamespaceGetOptions {
  readonly type?: ValueType;
  /** Accepted and ignored: there is no cache that could be stale. */
  readonly cacheTtl?: number;
}
type GetOptions = ValueType | NamespaceGetOptions;

export interface NamespacePutOptions {
  /** Seconds since the epoch. */
  readonly expiration?: number;
  /** Seconds from now. */
  readonly expirationTtl?: number;
  /** Any JSON, at most 1,024 bytes. */
  readonly metadata?: unknown;
}

export interface NamespaceListOptions {
  readonly prefix?: string | null;
  /** At most 1,000. */
  readonly limit?: number | null;
  /** Absent, null or empty: start at the first key. */
  readonly cursor?: string | null;
}

export interface NamespaceListed {
  readonly keys: { readonly name: string; readonly expiration?: number; readonly metadata?: unknown }[];
  readonly list_complete: boolean;
  readonly cursor?: string;
  readonly cacheStatus: null;
}

interface WithMetadata {
  readonly value: unknown;
  readonly metadata: unknown;
  readonly cacheStatus: null;
}

/** What a namespace shows of its bucket. */
export interface NamespaceView {
  /** Put before each key in the bucket; names do not show it. Empty by default. */
  readonly prefix?: string | undefined;
  /** Whether put and delete are refused. */
  readonly readonly?: boolean | undefined;
}

/** The options of Workers KV. Their values are checked where they are used, with its error texts. */
const any = z.optional(z.unknown());
const GetOptionsJson = z.strictObject({ type: any, cacheTtl: any });
const PutOptionsJson = z.strictObject({ expiration: any, expirationTtl: any, metadata: any, ttl: any });
const ListOptionsJson = z.strictObject({ prefix: any, limit: any, cursor: any });

const NOTHING: WithMetadata = { value: null, metadata: null, cacheStatus: null };

/** A key that was found. */
interface Found {
  readonly value: unknown;
  readonly metadata: unknown;
  /** Size of the value, in bytes. */
  readonly size: number;
}

/**
 * One bucket as a `KVNamespace`. Reads do not create the bucket: until the first put it is empty. Errors are those of the
 * service, with their codes.
 */
export class Namespace extends RpcTarget {
  readonly #reach: Reach;
  readonly #prefix: string;
  readonly #readonly: boolean;

  constructor(reach: Reach, { prefix = "", readonly = false }: NamespaceView = {}) {
    super();
    this.#reach = reach;
    this.#prefix = prefix;
    this.#readonly = readonly;
  }

  /** The value of a key, null if it does not exist. For several keys, at most 100: a map of values, as text or JSON. */
  get(key: string | string[], options: GetOptions | null = "text"): Promise<unknown> {
    return this.#reach.verb(async (bucket) => {
      if (Array.isArray(key))
        return mapValues(await this.#findMany(bucket, key, options), (found) => found && found.value);
      return (await find(bucket, this.#key(key), options))?.value ?? null;
    });
  }

  /** Like {@link get}, with the metadata. In a map, null for a key that does not exist. */
  getWithMetadata(key: string | string[], options: GetOptions | null = "text"): Promise<unknown> {
    return this.#reach.verb(async (bucket) => {
      if (Array.isArray(key)) {
        return mapValues(await this.#findMany(bucket, key, options), (found) => found && withMetadata(found));
      }
      const found = await find(bucket, this.#key(key), options);
      return found === null ? NOTHING : withMetadata(found);
    });
  }

  /** Stores a value. When this returns, the value is on disk, and every later read finds it. */
  put(key: string, value: GivenValue, given: NamespacePutOptions | null = {}): Promise<void> {
    return this.#reach.write(async (bucket, create) => {
      const name = this.#key(key);
      this.#checkWritable();
      const options = checkGiven(PutOptionsJson, given ?? {}, "body_invalid");
      const properties: Properties = {
        type: typeof value === "string" ? null : BYTES_TYPE,
        lifetime: lifetimeOf(options),
        metadata: (options.metadata ?? null) === null ? null : metadataJson(options.metadata),
      };
      const checked = givenValue(value);
      if (value instanceof ReadableStream) await create();
      await bucket.put(name, checked, properties);
    });
  }

  /** Deletes a key. A missing key is no error. */
  delete(key: string): Promise<void> {
    return this.#reach.verb(async (bucket) => {
      const name = this.#key(key);
      this.#checkWritable();
      await orNoBucket(bucket.delete(name));
    });
  }

  /** A page of keys, ordered by their bytes. */
  list(options: NamespaceListOptions | null = {}): Promise<NamespaceListed> {
    return this.#reach.verb(async (bucket) => {
      const { prefix, cursor, limit } = checkGiven(ListOptionsJson, options ?? {}, "query_invalid");
      const query = {
        prefix: prefix ?? undefined,
        cursor: cursor === "" ? undefined : (cursor ?? undefined),
        limit: pageSize(limit),
      };
      const { cursor: before, ...listed } = checkGiven(BucketsQuery, query, "query_invalid");
      const asked = bucket.entries({
        prefix: this.#prefix + (listed.prefix ?? ""),
        // A key that is the prefix and nothing more has no name here.
        after: this.#prefix === "" ? undefined : this.#prefix,
        ...decodeKeyCursor(before),
        limit: listed.limit ?? MAX_PAGE,
      });
      // A list that was begun is not complete because its bucket has ended.
      const page = await (before === undefined ? orNoBucket(asked) : asked);
      if (page === undefined) return { keys: [], list_complete: true, cacheStatus: null };
      const { incarnation, entries, more } = page;
      const last = entries.at(-1);
      return {
        keys: entries.map(({ key, expires, metadata }) => ({
          name: key.slice(this.#prefix.length),
          ...(expires === null ? {} : { expiration: Math.floor(expires / 1_000) }),
          ...(metadata === null ? {} : { metadata: readJson(metadata) }),
        })),
        list_complete: !more,
        ...(more && last !== undefined ? { cursor: encodeKeyCursor(incarnation, last.key) } : {}),
        cacheStatus: null,
      };
    });
  }

  /** The key in the bucket. */
  #key(key: string): string {
    const name = checkedKey(key);
    return this.#prefix === "" ? name : checkedKey(this.#prefix + name);
  }

  /** Values by the keys as they were asked for. */
  async #findMany(
    bucket: BucketHandle,
    keys: readonly string[],
    options: GetOptions | null,
  ): Promise<Map<string, Found | null>> {
    const names = new Map(keys.map((key) => [key, this.#key(key)]));
    const found = await findMany(bucket, [...names.values()], options);
    return mapValues(names, (name) => found.get(name) ?? null);
  }

  #checkWritable(): void {
    if (!this.#readonly) return;
    throw new KvError("read_only", `This binding may only read the bucket ${this.#reach.name}.`);
  }
}

async function find(bucket: BucketHandle, key: string, options: GetOptions | null): Promise<Found | null> {
  const name = checkedKey(key);
  const type = typeOf(options);
  const found = await orNoBucket(bucket.get(name));
  if (found?.outcome !== "found") return null;
  const { entry, value } = found;
  return {
    value: await wanted(value, type),
    metadata: entry.metadata === null ? null : readJson(entry.metadata),
    size: entry.size,
  };
}

async function findMany(
  bucket: BucketHandle,
  names: readonly string[],
  options: GetOptions | null,
): Promise<Map<string, Found | null>> {
  const type = typeOf(options);
  if (type !== "text" && type !== "json") {
    throw new KvError("query_invalid", "With several keys the type must be text or json.");
  }
  if (names.length === 0 || names.length > MAX_KEYS) {
    throw new KvError("query_invalid", `Pass between 1 and ${MAX_KEYS} keys.`);
  }
  const answer = await orNoBucket(bucket.batch(names.map((key) => ({ op: "get", key }))));
  const { results } = answer === undefined ? { results: [] } : (readJson(answer) as BatchResults);
  const all = new Map<string, Found | null>(names.map((name) => [name, null]));
  const room = new MessageRoom(type);
  for (const result of results) {
    // A value that did not fit the reply of the batch is read by itself.
    const found = foundOf(result, type) ?? (await find(bucket, result.key, type));
    if (found !== null) room.admit(found.value, found.size);
    all.set(result.key, found);
  }
  return all;
}

/** The result of one read of a batch: null if the key does not exist; undefined if the key must be read by itself. */
function foundOf(result: BatchResults["results"][number], type: "text" | "json"): Found | null | undefined {
  if ("error" in result || result.op !== "get") return undefined;
  if (!result.found) return null;
  const { value, base64, metadata = null, size } = result;
  const bytes = base64 === undefined ? value : Uint8Array.fromBase64(base64).buffer;
  return bytes === undefined ? undefined : { value: ofText(bytes, type), metadata, size };
}

/** The page size. As in Workers KV, absent, null and 0 mean the maximum. */
function pageSize(limit: unknown): number {
  return Math.trunc(numberOf("limit", limit ?? 0, "query_invalid")) || MAX_PAGE;
}

/** A number, or a string of decimal digits; null means 0, as in Workers KV. @throws {KvError} with this code */
function numberOf(name: string, given: unknown, code: "body_invalid" | "query_invalid"): number {
  if (given === null) return 0;
  if (typeof given === "number") return given;
  if (typeof given === "string" && /^-?\d+(?:\.\d+)?$/.test(given)) return Number(given);
  throw new KvError(code, `${name} must be a number, or a string of decimal digits.`);
}

function withMetadata({ value, metadata }: Found): WithMetadata {
  return { value, metadata, cacheStatus: null };
}

function mapValues<T, U>(map: ReadonlyMap<string, T>, convert: (value: T) => U): Map<string, U> {
  return new Map([...map].map(([key, value]) => [key, convert(value)]));
}

function typeOf(options: GetOptions | null): ValueType {
  const { type = "text", cacheTtl = 0 } =
    typeof options === "string"
      ? { type: options }
      : checkGiven(GetOptionsJson, options ?? {}, "query_invalid");
  if (cacheTtl === null) throw new KvError("query_invalid", "cacheTtl must be a number of seconds.");
  const found = TYPES.find((known) => known === type);
  if (found !== undefined) return found;
  throw new KvError("query_invalid", `The type must be one of ${TYPES.join(", ")}.`);
}

/**
 * The lifetime of a put. As in Workers KV, `expirationTtl` wins if both are given, and null means 0, which is refused. If
 * null were ignored, the entry would live forever.
 */
function lifetimeOf({
  expiration,
  expirationTtl,
  ttl,
}: z.output<typeof PutOptionsJson>): Lifetime | undefined {
  // unstorage's driver passes on its own `ttl` beside what it makes of it. By itself, it would be ignored.
  if (ttl !== undefined && expirationTtl === undefined) {
    throw new KvError("body_invalid", "There is no option ttl. Give expirationTtl, in seconds.");
  }
  if (expirationTtl !== undefined) return { ttl: numberOf("expirationTtl", expirationTtl, "body_invalid") };
  if (expiration === undefined) return undefined;
  return { expires: numberOf("expiration", expiration, "body_invalid") * 1_000 };
}
