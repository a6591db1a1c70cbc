/** Between the client's words and the service's JSON. */

import { ofJson, toJson, type Codec, type Encoded } from "./codecs.ts";
import { DecodeError, errorOf, type KvError } from "./errors.ts";
import type {
  Comparison,
  Conditions,
  Entries,
  Entry,
  Incremented,
  IncrementOptions,
  Operation,
  Properties,
  Result,
  Transaction,
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

export interface FailureWire {
  readonly code: string;
  readonly status: number;
  readonly detail: string;
}

type IncrementedWire = Omit<Incremented, "value"> & { readonly value: number | string };
/** What one operation gave, as the service tells of it. */
export type ResultWire =
  | ({ readonly op: "get"; readonly found: true } & EntryWire)
  | Extract<Result, { readonly found: false } | { readonly op: "put" | "delete" }>
  | ({ readonly op: "increment"; readonly key: string } & IncrementedWire)
  | { readonly op: Result["op"]; readonly key: string; readonly error: FailureWire };

export function operationJson<T extends Entries>(operation: Operation<T>, codec: Codec): Json {
  const { op, key } = operation;
  const base = { op, key, ...conditionsJson(operation) };
  switch (op) {
    case "put":
      return {
        ...base,
        ...toJson(codec.encode(operation.value)),
        type: operation.type ?? codec.type,
        ...propertiesJson(operation),
      };
    case "increment":
      return { ...base, ...incrementJson(operation) };
    default:
      return base;
  }
}

export function transactionJson<T extends Entries>(transaction: Transaction<T>, codec: Codec): Json {
  const operations = (branch: readonly Operation<T>[] = []) =>
    branch.map((operation) => operationJson(operation, codec));
  return {
    if: (transaction.if ?? []).map((comparison) => comparisonJson(comparison, codec)),
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

/** As headers say them. */
export function conditionHeaders({ ifMatch, ifNoneMatch }: Conditions): Record<string, string> {
  return {
    ...(ifMatch === undefined ? {} : { "If-Match": tags(ifMatch) }),
    ...(ifNoneMatch === undefined ? {} : { "If-None-Match": tags(ifNoneMatch) }),
  };
}

/** @throws {DecodeError} */
export function decoded<Value>(codec: Codec<Value>, encoded: Encoded, type: string, key: string): Value {
  try {
    return codec.decode(encoded, type);
  } catch (cause) {
    const why = `The value of ${JSON.stringify(key)} is not what the codec expects.`;
    throw new DecodeError("value_undecodable", why, { cause, details: { key } });
  }
}

/** @throws {DecodeError} */
export function entryOf<Value>(wire: EntryWire, codec: Codec<Value>): Entry<Value> {
  const { key, revision, etag, type, size, modified, expires, metadata } = wire;
  const encoded = ofJson(wire);
  return {
    key,
    value: encoded === undefined ? undefined : decoded(codec, encoded, type, key),
    revision,
    etag,
    type,
    size,
    modified: dateOf(modified),
    expires: dateOf(expires),
    metadata,
  };
}

/** An operation that was turned down is its error, and so is a value that can't be read. */
export function resultOf<Value>(wire: ResultWire, codec: Codec<Value>): Result<Value> | KvError {
  if ("error" in wire) return errorOf({ ...wire.error });
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

export function integerOf(value: number | string): number | bigint {
  return typeof value === "number" ? value : BigInt(value);
}

function dateOf(time: string | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}

function comparisonJson<T extends Entries>(comparison: Comparison<T>, codec: Codec): Json {
  const { value, integer, ...rest } = comparison;
  return {
    ...rest,
    ...(integer === undefined ? {} : { integer: integerJson(integer) }),
    ...(value === undefined ? {} : toJson(codec.encode(value))),
  };
}

function conditionsJson({ ifMatch, ifNoneMatch }: Conditions): Json {
  return {
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
  };
}

function integerJson(value: number | bigint): number | string {
  return typeof value === "bigint" ? value.toString() : value;
}

function tags(given: string | readonly string[]): string {
  if (given === "*") return "*";
  // A header that is empty is no condition; this one is met by no entry, as a list of none is.
  if (given.length === 0) return '""';
  return (typeof given === "string" ? [given] : given).map((tag) => `"${tag}"`).join(", ");
}
