/** Converts between the client's types and the service's JSON. */

import type { EntryJson, Incremented as IncrementedJson, KeysPage } from "../contract/entries.ts";
import type { ResultJson } from "../contract/operations.ts";
import { checkShape, readShape, unexpectedAnswer, type Shape } from "./answers.ts";
import { toBase64Url } from "./base64.ts";
import type { JsonObject, EncodedTransaction } from "./caller.ts";
import { encodedFromJson, encodedToJson, type Codec, type Encoded } from "./codecs.ts";
import { conditionsToJson } from "./conditions.ts";
import { DecodeError, errorOf, type KvError } from "./errors.ts";
import { allWithDefaultTtl, sentTtl } from "./lifetimes.ts";
import { checkMembers, COMPARISON, OPERATIONS, invalidRequest, TRANSACTION } from "./options.ts";
import { checkedKey } from "./paths.ts";
import { describeValue } from "./describe-value.ts";
import type {
  Comparison,
  Entries,
  Entry,
  ImportResult,
  Incremented,
  IncrementOptions,
  Operation,
  Properties,
  Result,
  Transaction,
  Written,
} from "./types.ts";

type Json = JsonObject;

const ENTRY: Shape<EntryJson> = { key: "string", revision: "number", etag: "string", type: "string" };

const WRITTEN: Shape<Written> = { created: "boolean", revision: "number", etag: "string" };
const INCREMENTED: Shape<IncrementedJson> = { value: "integer", ...WRITTEN };

const RESULTS: ReadonlyMap<string, Shape<ResultJson>> = new Map<string, Shape<ResultJson>>([
  ["get", { key: "string", found: "boolean" }],
  ["put", { key: "string", ...WRITTEN }],
  ["delete", { key: "string", deleted: "boolean" }],
  ["getAndDelete", { key: "string", found: "boolean" }],
  ["increment", { key: "string", ...INCREMENTED }],
]);

export const FAILURE: Shape<Parameters<typeof errorOf>[0]> = {
  code: "string",
  status: "number",
  detail: "string",
};

const INVALID = "operation_invalid";

/** @throws {InvalidRequestError} `operation_invalid`, `key_invalid`, `value_invalid`, `etag_invalid` */
export function operationsToJson<T extends Entries>(
  operations: readonly Operation<T>[],
  codec: Codec,
): Json[] {
  const given: unknown = operations;
  if (!Array.isArray(given))
    throw invalidRequest(INVALID, `Operations have to be an array, and not ${describeValue(given)}.`);
  // Array.from also visits holes, which `map` skips.
  return Array.from(operations, (operation) => operationToJson(operation, codec));
}

export function operationToJson<T extends Entries>(operation: Operation<T>, codec: Codec): Json {
  const rules = OPERATIONS.get((operation as Operation<T> | null | undefined)?.op);
  if (rules === undefined)
    throw invalidRequest(
      INVALID,
      "The op of an operation has to be get, put, delete, getAndDelete or increment.",
    );
  const { op } = operation;
  checkMembers(operation, rules, `The operation ${op}`, INVALID);
  const key = checkedKey(operation.key);
  const base = { op, key, ...conditionsToJson(operation) };
  switch (op) {
    case "put":
      return {
        ...base,
        ...encodedToJson(encodeWith(codec, operation.value)),
        type: operation.type ?? codec.type,
        ...propertiesToJson(operation),
      };
    case "increment":
      return { ...base, ...incrementToJson(operation) };
    default:
      return base;
  }
}

export function transactionToJson<T extends Entries>(
  transaction: Transaction<T>,
  codec: Codec,
  ttl?: number,
): EncodedTransaction {
  checkMembers(transaction, TRANSACTION, "A transaction", INVALID);
  const operations = (branch: readonly Operation<T>[] = []) =>
    operationsToJson(allWithDefaultTtl(branch, ttl), codec);
  return {
    if: Array.from(transaction.if ?? [], (comparison) => comparisonToJson(comparison, codec)),
    then: operations(transaction.then),
    else: operations(transaction.else),
  };
}

export function incrementToJson({ by, initial, ttl }: IncrementOptions): Json {
  return {
    ...(by === undefined ? {} : { by: integerToJson(by) }),
    ...(initial === undefined ? {} : { initial: integerToJson(initial) }),
    ...sentTtl(ttl),
  };
}

/** An entry's properties, as members of a query or a JSON body. */
export function propertiesToJson({ ttl, expires, metadata }: Properties): {
  readonly ttl?: number;
  readonly expires?: string;
  readonly metadata?: unknown;
} {
  return {
    ...sentTtl(ttl),
    ...(expires === undefined ? {} : { expires: expires.toISOString() }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

/**
 * @throws {InvalidRequestError} `value_invalid` if the codec throws (`cause` is its error), or returns neither text nor
 *   bytes
 */
export function encodeWith<Value>(codec: Codec<Value>, value: Value): Encoded {
  let encoded: unknown;
  try {
    encoded = codec.encode(value);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "";
    throw invalidRequest("value_invalid", why === "" ? "The codec refuses this value." : why, cause);
  }
  if (encoded instanceof Uint8Array || (typeof encoded === "string" && encoded.isWellFormed()))
    return encoded;
  // Anything else would be sent in its string form, such as [object Object].
  const what = typeof encoded === "string" ? "text with half of a surrogate pair" : describeValue(encoded);
  throw invalidRequest(
    "value_invalid",
    `The codec has to give well-formed text or a Uint8Array, and not ${what}.`,
  );
}

/** Further details of a {@link DecodeError}. */
interface Undecoded {
  /** Where to continue after it: a change's id, or a list's cursor. */
  readonly id?: string;
  readonly cursor?: string;
  /** The value itself, which was deleted. */
  readonly deleted?: Encoded;
}

/** @throws {DecodeError} */
export function decodeWith<Value>(
  codec: Codec<Value>,
  encoded: Encoded,
  { type, key }: { readonly type: string; readonly key: string },
  more: Undecoded = {},
): Value {
  try {
    return codec.decode(encoded, type);
  } catch (cause) {
    const why = `The value of ${JSON.stringify(key)} is not what the codec expects.`;
    throw new DecodeError("value_undecodable", why, { cause, details: { key, ...more } });
  }
}

/** @throws {DecodeError}, {KvError} `unexpected_answer` */
export function decodeEntry<Value>(json: unknown, codec: Codec<Value>, more?: Undecoded): Entry<Value> {
  const wire = checkShape(json, ENTRY);
  const { key, revision, etag, type, size, modified, expires, metadata } = wire;
  const encoded = encodedFromJson(wire);
  return {
    key,
    value: encoded === undefined ? undefined : decodeWith(codec, encoded, { type, key }, more),
    revision,
    etag,
    type,
    size,
    modified: dateOf(modified),
    expires: dateOf(expires),
    metadata,
  };
}

/** A page of a list whose entries are not checked yet. */
export interface UncheckedPage extends Pick<KeysPage, "cursor"> {
  readonly keys: readonly unknown[];
}

/** Checks a page of a list. Its entries are checked one by one, when used. @throws {KvError} `unexpected_answer` */
export function pageOf(json: unknown): UncheckedPage {
  return checkShape<UncheckedPage>(json, { keys: "array" });
}

/** Reads the response to a range deletion. */
export const deletedOf = readShape<{ readonly deleted: number }>({ deleted: "number" });

/** Reads the response to an import. */
export const importedOf = readShape<ImportResult>({
  lines: "number",
  imported: "number",
  unchanged: "number",
  expired: "number",
  failed: "number",
  errors: "array",
});

/** Reads the incarnation from a bucket's description. */
export const incarnationOf = readShape<{ readonly incarnation: string }>({ incarnation: "string" });

/** As {@link decodeEntry}, for an entry of a list. A cursor of the service is the bucket's id and the last key. */
export function listedOf<Value>(json: unknown, codec: Codec<Value>): Entry<Value> {
  const { key, etag } = checkShape(json, ENTRY);
  const bucket = etag.slice(0, etag.lastIndexOf("-"));
  return decodeEntry(json, codec, { cursor: `${bucket}.${toBase64Url(key)}` });
}

/** @throws {KvError} `unexpected_answer` */
export function incrementedOf(json: unknown): Incremented {
  const { value, ...rest } = checkShape(json, INCREMENTED);
  return { ...rest, value: integerOf(value) };
}

/**
 * Results of operations. The result of a failed operation, or of a value that can't be decoded, is the error.
 * @throws {KvError} `unexpected_answer` if the response is not the service's, or has another number of results
 */
export function resultsOf<Value>(
  json: unknown,
  asked: number,
  codec: Codec<Value>,
): (Result<Value> | KvError)[] {
  const { results } = checkShape<{ readonly results: readonly unknown[] }>(json, { results: "array" });
  if (results.length === asked) return results.map((result) => resultOf(result, codec));
  throw unexpectedAnswer(`it has ${results.length} results for ${asked} operations.`);
}

function resultOf<Value>(json: unknown, codec: Codec<Value>): Result<Value> | KvError {
  const { op, error } = checkShape<{ readonly op: string; readonly error?: unknown }>(json, { op: "string" });
  if (error !== undefined) return errorOf(checkShape(error, FAILURE));
  const shape = RESULTS.get(op);
  if (shape === undefined) throw unexpectedAnswer(`it has an unknown operation ${op}.`);
  const wire = checkShape(json, shape);
  switch (wire.op) {
    case "get":
    case "getAndDelete":
      return wire.found ? found(wire, codec) : wire;
    case "increment":
      return { ...wire, value: integerOf(wire.value) };
    default:
      return wire;
  }
}

function found<Value>(
  wire: EntryJson & { readonly op: "get" | "getAndDelete" },
  codec: Codec<Value>,
): Result<Value> | KvError {
  const { op } = wire;
  const deleted = op === "getAndDelete" ? encodedFromJson(wire) : undefined;
  try {
    return { op, found: true, ...decodeEntry(wire, codec, deleted === undefined ? {} : { deleted }) };
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
}

function integerOf(value: number | string): number | bigint {
  return typeof value === "number" ? value : BigInt(value);
}

function dateOf(time: string | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}

function comparisonToJson<T extends Entries>(comparison: Comparison<T>, codec: Codec): Json {
  checkMembers(comparison, COMPARISON, "A comparison", INVALID);
  const { value, integer, key, ...rest } = comparison;
  return {
    key: checkedKey(key),
    ...rest,
    ...(integer === undefined ? {} : { integer: integerToJson(integer) }),
    ...(value === undefined ? {} : encodedToJson(encodeWith(codec, value))),
  };
}

function integerToJson(value: number | bigint): number | string {
  return typeof value === "bigint" ? value.toString() : value;
}
