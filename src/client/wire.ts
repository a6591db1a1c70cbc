/** Between the client's words and the service's JSON. */

import { shaped, shapedAs, unexpected, type Shape } from "./answers.ts";
import { toBase64Url } from "./base64.ts";
import type { TransactionJson } from "./caller.ts";
import { ofJson, toJson, type Codec, type Encoded } from "./codecs.ts";
import { conditionsJson } from "./conditions.ts";
import { DecodeError, errorOf, type KvError } from "./errors.ts";
import { checkMembers, COMPARISON, OPERATIONS, refused, TRANSACTION } from "./options.ts";
import { checkedKey } from "./paths.ts";
import { shown } from "./shown.ts";
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

type Json = Readonly<Record<string, unknown>>;

/** An entry, as the service tells of it. */
export interface EntryWire {
  readonly key: string;
  readonly revision: number;
  readonly etag: string;
  readonly type: string;
  readonly size: number;
  readonly modified?: string;
  readonly expires?: string;
  readonly metadata?: unknown;
  readonly value?: string;
  readonly base64?: string;
}

const ENTRY: Shape<EntryWire> = { key: "string", revision: "number", etag: "string", type: "string" };

type IncrementedWire = Omit<Incremented, "value"> & { readonly value: number | string };

const WRITTEN: Shape<Written> = { created: "boolean", revision: "number", etag: "string" };
const INCREMENTED: Shape<IncrementedWire> = { value: "integer", ...WRITTEN };

/** What one operation gave, as the service tells of it; one that was turned down has an `error` instead. */
type ResultWire =
  | ({ readonly op: "get"; readonly found: true } & EntryWire)
  | Extract<Result, { readonly found: false } | { readonly op: "put" | "delete" }>
  | ({ readonly op: "increment"; readonly key: string } & IncrementedWire);

const RESULTS: ReadonlyMap<string, Shape<ResultWire>> = new Map<string, Shape<ResultWire>>([
  ["get", { key: "string", found: "boolean" }],
  ["put", { key: "string", ...WRITTEN }],
  ["delete", { key: "string", deleted: "boolean" }],
  ["increment", { key: "string", ...INCREMENTED }],
]);

export const FAILURE: Shape<Parameters<typeof errorOf>[0]> = {
  code: "string",
  status: "number",
  detail: "string",
};

const INVALID = "operation_invalid";

/** @throws {InvalidRequestError} `operation_invalid`, `key_invalid`, `value_invalid`, `etag_invalid` */
export function operationsJson<T extends Entries>(operations: readonly Operation<T>[], codec: Codec): Json[] {
  const given: unknown = operations;
  if (!Array.isArray(given))
    throw refused(INVALID, `Operations have to be an array, and not ${shown(given)}.`);
  // A list may have holes, which `map` does not see.
  return Array.from(operations, (operation) => operationJson(operation, codec));
}

export function operationJson<T extends Entries>(operation: Operation<T>, codec: Codec): Json {
  const rules = OPERATIONS.get((operation as Operation<T> | null | undefined)?.op);
  if (rules === undefined)
    throw refused(INVALID, "The op of an operation has to be get, put, delete or increment.");
  const { op } = operation;
  checkMembers(operation, rules, `The operation ${op}`, INVALID);
  const key = checkedKey(operation.key);
  const base = { op, key, ...conditionsJson(operation) };
  switch (op) {
    case "put":
      return {
        ...base,
        ...toJson(encodedBy(codec, operation.value)),
        type: operation.type ?? codec.type,
        ...propertiesJson(operation),
      };
    case "increment":
      return { ...base, ...incrementJson(operation) };
    default:
      return base;
  }
}

export function transactionJson<T extends Entries>(
  transaction: Transaction<T>,
  codec: Codec,
): TransactionJson {
  checkMembers(transaction, TRANSACTION, "A transaction", INVALID);
  const operations = (branch: readonly Operation<T>[] = []) => operationsJson(branch, codec);
  return {
    if: Array.from(transaction.if ?? [], (comparison) => comparisonJson(comparison, codec)),
    then: operations(transaction.then),
    else: operations(transaction.else),
  };
}

export function incrementJson({ by, initial, ttl }: IncrementOptions): Json {
  return {
    ...(by === undefined ? {} : { by: integerJson(by) }),
    ...(initial === undefined ? {} : { initial: integerJson(initial) }),
    ...(ttl === undefined ? {} : { ttl }),
  };
}

/** What a value is kept with, as queries and bodies say it. */
export function propertiesJson({ ttl, expires, metadata }: Properties): {
  readonly ttl?: number;
  readonly expires?: string;
  readonly metadata?: unknown;
} {
  return {
    ...(ttl === undefined ? {} : { ttl }),
    ...(expires === undefined ? {} : { expires: expires.toISOString() }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

/**
 * @throws {InvalidRequestError} `value_invalid`, where the codec refuses it (the cause is its own error), or gives what is
 *   neither text nor bytes
 */
export function encodedBy<Value>(codec: Codec<Value>, value: Value): Encoded {
  let encoded: unknown;
  try {
    encoded = codec.encode(value);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "";
    throw refused("value_invalid", why === "" ? "The codec refuses this value." : why, cause);
  }
  if (encoded instanceof Uint8Array || (typeof encoded === "string" && encoded.isWellFormed()))
    return encoded;
  // As it is, its name or its numbers would be sent for it.
  const what = typeof encoded === "string" ? "text with half of a surrogate pair" : shown(encoded);
  throw refused("value_invalid", `The codec has to give well-formed text or a Uint8Array, and not ${what}.`);
}

/** What to go on with behind a value: a change's id, a list's cursor. */
interface Behind {
  readonly id?: string;
  readonly cursor?: string;
}

/** @throws {DecodeError} */
export function decoded<Value>(
  codec: Codec<Value>,
  encoded: Encoded,
  { type, key }: { readonly type: string; readonly key: string },
  behind: Behind = {},
): Value {
  try {
    return codec.decode(encoded, type);
  } catch (cause) {
    const why = `The value of ${JSON.stringify(key)} is not what the codec expects.`;
    throw new DecodeError("value_undecodable", why, { cause, details: { key, ...behind } });
  }
}

/** @throws {DecodeError}, {KvError} `unexpected_answer` */
export function entryOf<Value>(told: unknown, codec: Codec<Value>, behind?: Behind): Entry<Value> {
  const wire = shaped(told, ENTRY);
  const { key, revision, etag, type, size, modified, expires, metadata } = wire;
  const encoded = ofJson(wire);
  return {
    key,
    value: encoded === undefined ? undefined : decoded(codec, encoded, { type, key }, behind),
    revision,
    etag,
    type,
    size,
    modified: dateOf(modified),
    expires: dateOf(expires),
    metadata,
  };
}

export interface Page {
  readonly keys: readonly unknown[];
  readonly cursor?: string;
}

/** A page's entries are looked at one by one. @throws {KvError} `unexpected_answer` */
export function pageOf(told: unknown): Page {
  return shaped<Page>(told, { keys: "array" });
}

/** What a deletion of a range tells. */
export const deletedOf = shapedAs<{ readonly deleted: number }>({ deleted: "number" });

/** What an import tells. */
export const importedOf = shapedAs<ImportResult>({
  lines: "number",
  imported: "number",
  unchanged: "number",
  expired: "number",
  failed: "number",
  errors: "array",
});

/** What {@link entryOf} makes of an entry in a list. The service's cursors are the bucket, and the key behind which they lead. */
export function listedOf<Value>(told: unknown, codec: Codec<Value>): Entry<Value> {
  const { key, etag } = shaped(told, ENTRY);
  const bucket = etag.slice(0, etag.lastIndexOf("-"));
  return entryOf(told, codec, { cursor: `${bucket}.${toBase64Url(key)}` });
}

/** @throws {KvError} `unexpected_answer` */
export function incrementedOf(told: unknown): Incremented {
  const { value, ...rest } = shaped(told, INCREMENTED);
  return { ...rest, value: integerOf(value) };
}

/**
 * What came of operations: one that was turned down is its error, and so is a value that can't be read.
 * @throws {KvError} `unexpected_answer` if it is not the service's, or not about so many
 */
export function resultsOf<Value>(
  told: unknown,
  asked: number,
  codec: Codec<Value>,
): (Result<Value> | KvError)[] {
  const { results } = shaped<{ readonly results: readonly unknown[] }>(told, { results: "array" });
  if (results.length === asked) return results.map((result) => resultOf(result, codec));
  throw unexpected(`${results.length} results of ${asked} operations.`);
}

function resultOf<Value>(told: unknown, codec: Codec<Value>): Result<Value> | KvError {
  const { op, error } = shaped<{ readonly op: string; readonly error?: unknown }>(told, { op: "string" });
  if (error !== undefined) return errorOf(shaped(error, FAILURE));
  const shape = RESULTS.get(op);
  if (shape === undefined) throw unexpected(`there is no operation ${op}.`);
  const wire = shaped(told, shape);
  switch (wire.op) {
    case "get":
      return wire.found ? found(wire, codec) : wire;
    case "increment":
      return { ...wire, value: integerOf(wire.value) };
    default:
      return wire;
  }
}

function found<Value>(wire: EntryWire, codec: Codec<Value>): Result<Value> | KvError {
  try {
    return { op: "get", found: true, ...entryOf(wire, codec) };
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

function comparisonJson<T extends Entries>(comparison: Comparison<T>, codec: Codec): Json {
  checkMembers(comparison, COMPARISON, "A comparison", INVALID);
  const { value, integer, key, ...rest } = comparison;
  return {
    key: checkedKey(key),
    ...rest,
    ...(integer === undefined ? {} : { integer: integerJson(integer) }),
    ...(value === undefined ? {} : toJson(encodedBy(codec, value))),
  };
}

function integerJson(value: number | bigint): number | string {
  return typeof value === "bigint" ? value.toString() : value;
}
