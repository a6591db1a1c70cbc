/** Batches and transactions, over the model of a bucket; and what of them is wrong whatever the bucket has. */

import { Refused, errorOf, TEXT_TYPE, BYTES_TYPE, type Conditions, type ModelBucket } from "./bucket.ts";
import type { Increment, Lifetime } from "./bucket.ts";
import { integerOf, isContentType, keyFault, MAX_METADATA_BYTES, MAX_WHOLE_BYTES } from "./limits.ts";

type Tags = string | readonly string[] | undefined;
type Value = { readonly value?: string; readonly json?: unknown; readonly base64?: string };
type Target = { readonly key: string; readonly ifMatch?: Tags; readonly ifNoneMatch?: Tags };
export type Operation = Target &
  (
    | { readonly op: "get" | "delete" | "getAndDelete" }
    | ({ readonly op: "increment" } & Increment)
    | ({ readonly op: "put"; readonly type?: string; readonly metadata?: unknown } & Value & Lifetime)
  );
export type Comparison = {
  readonly key: string;
  readonly is?: "=" | "!=" | "<" | "<=" | ">" | ">=";
  readonly exists?: boolean;
  readonly revision?: number;
  readonly integer?: number | string;
} & Value;
export interface Transaction {
  readonly if?: readonly Comparison[];
  readonly then?: readonly Operation[];
  readonly else?: readonly Operation[];
}

/** An opaque tag, and neither `*` nor a weak one. */
const TAG = /^(?!W\/|\*$)[\x21\x23-\x7e]+$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2,3})?$/;

/** Codes for what is wrong with operations that their schema takes. */
export function faultsOfOperations(operations: readonly Operation[]): string[] {
  return operations.flatMap(faultsOfOperation);
}

export function faultsOfTransaction({
  if: comparisons = [],
  then = [],
  else: others = [],
}: Transaction): string[] {
  return [
    ...comparisons.flatMap(faultsOfComparison),
    ...faultsOfOperations(then),
    ...faultsOfOperations(others),
  ];
}

/** Also those of a line of an import, which is a put without its name and conditions. */
export function faultsOfPut(put: Extract<Operation, { op: "put" }>): string[] {
  return [
    ...faultsOfKey(put.key),
    ...faultsOfValue(put),
    ...faultsOfLifetime(put),
    ...(put.type === undefined || isContentType(put.type) ? [] : ["content_type_invalid"]),
    ...(isSmallMetadata(put.metadata) ? [] : ["metadata_too_large"]),
  ];
}

/** @returns what stands in `results` @throws {Refused} */
export function perform(bucket: ModelBucket, operation: Operation): Record<string, unknown> {
  const { op, key } = operation;
  bucket.demand(key, conditionsOf(operation));
  switch (op) {
    case "get":
      return bucket.entries.has(key)
        ? { op, found: true, ...bucket.entryJson(key, true) }
        : { op, found: false, key };
    case "delete":
      return { op, key, deleted: bucket.remove(key) };
    case "getAndDelete": {
      const entry = bucket.entries.get(key);
      if (entry === undefined) return { op, found: false, key };
      if (entry.value.length > MAX_WHOLE_BYTES) throw new Refused("value_too_large");
      const json = bucket.entryJson(key, true);
      bucket.remove(key);
      return { op, found: true, ...json };
    }
    case "increment":
      return { op, key, ...bucket.increment(key, operation) };
    case "put": {
      const stored = bucket.put(key, bytesOf(operation), propertiesOf(operation));
      return { op, key, ...stored, etag: bucket.tag(stored.revision) };
    }
  }
}

export function batch(bucket: ModelBucket, operations: readonly Operation[]): Record<string, unknown> {
  const results = operations.map((operation) => {
    try {
      return perform(bucket, operation);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { op: operation.op, key: operation.key, error: errorOf(error.code) };
    }
  });
  return { results };
}

/** @throws {Refused} having changed nothing */
export function transact(bucket: ModelBucket, transaction: Transaction): Record<string, unknown> {
  const { if: comparisons = [], then = [], else: others = [] } = transaction;
  return bucket.whole(() => {
    const succeeded = comparisons.every((comparison) => holds(bucket, comparison));
    const results = (succeeded ? then : others).map((operation) => perform(bucket, operation));
    return { succeeded, results };
  });
}

/** What is stored of a put, or of an import's line. */
export function bytesOf({ value, json, base64 }: Value): Buffer {
  if (value !== undefined) return Buffer.from(value);
  return base64 === undefined ? Buffer.from(JSON.stringify(json)) : Buffer.from(base64, "base64");
}

export function propertiesOf(put: Extract<Operation, { op: "put" }>): Lifetime & {
  readonly type: string;
  readonly metadata?: unknown;
} {
  const { type, ttl, expires, metadata } = put;
  return { type: type ?? typeOf(put), ttl, expires, metadata };
}

function typeOf({ value, base64 }: Value): string {
  if (value !== undefined) return TEXT_TYPE;
  return base64 === undefined ? "application/json" : BYTES_TYPE;
}

function holds(bucket: ModelBucket, comparison: Comparison): boolean {
  const { key, is = "=", exists, revision, integer } = comparison;
  const entry = bucket.entries.get(key);
  const related = (difference: number): boolean => relates(Math.sign(difference), is);
  if (exists !== undefined) return related(Number(entry !== undefined) - Number(exists));
  if (revision !== undefined) return related((entry?.revision ?? 0) - revision);
  if (entry === undefined) return is === "!=";
  if (integer !== undefined) {
    const own = integerOf(entry.value);
    if (own === undefined) return is === "!=";
    const other = BigInt(integer);
    return related(own < other ? -1 : Number(own > other));
  }
  if (entry.value.length > MAX_WHOLE_BYTES) throw new Refused("not_comparable");
  return related(Buffer.compare(entry.value, bytesOf(comparison)));
}

function relates(difference: number, is: NonNullable<Comparison["is"]>): boolean {
  const by = { "=": [0], "!=": [-1, 1], "<": [-1], "<=": [-1, 0], ">": [1], ">=": [0, 1] };
  return by[is].includes(difference === 0 ? 0 : difference);
}

function faultsOfOperation(operation: Operation): string[] {
  const faults = [operation.ifMatch, operation.ifNoneMatch].every(isTags) ? [] : ["body_invalid"];
  switch (operation.op) {
    case "put":
      return [...faults, ...faultsOfPut(operation)];
    case "increment":
      return [...faults, ...faultsOfKey(operation.key), ...faultsOfLifetime(operation)];
    default:
      return [...faults, ...faultsOfKey(operation.key)];
  }
}

function faultsOfComparison(comparison: Comparison): string[] {
  const { exists, revision, integer, value, json, base64 } = comparison;
  const compared = [exists, revision, integer, value, json, base64].filter((one) => one !== undefined);
  const isValue = exists === undefined && revision === undefined && integer === undefined;
  return [
    ...faultsOfKey(comparison.key),
    ...(compared.length === 1 ? [] : ["body_invalid"]),
    ...(isValue ? faultsOfValue(comparison) : []),
  ];
}

function faultsOfKey(key: string): string[] {
  const fault = keyFault(key);
  return fault === undefined ? [] : [fault];
}

export function faultsOfLifetime({ ttl, expires }: Lifetime): string[] {
  return ttl !== undefined && expires !== undefined ? ["body_invalid"] : [];
}

function faultsOfValue({ value, json, base64 }: Value): string[] {
  if ([value, json, base64].filter((one) => one !== undefined).length !== 1) return ["body_invalid"];
  if (value !== undefined && !value.isWellFormed()) return ["body_invalid"];
  if (base64 !== undefined && !BASE64.test(base64)) return ["body_invalid"];
  return bytesOf({
    ...(value === undefined ? {} : { value }),
    json,
    ...(base64 === undefined ? {} : { base64 }),
  }).length > MAX_WHOLE_BYTES
    ? ["value_too_large"]
    : [];
}

export function isSmallMetadata(metadata: unknown): boolean {
  return metadata === undefined || Buffer.byteLength(JSON.stringify(metadata)) <= MAX_METADATA_BYTES;
}

function isTags(tags: Tags): boolean {
  if (tags === undefined || tags === "*") return true;
  return typeof tags === "string" ? TAG.test(tags) : tags.every((tag) => TAG.test(tag));
}

function conditionsOf({ ifMatch, ifNoneMatch }: Target): Conditions {
  const list = (tags: Tags): "*" | readonly string[] | undefined =>
    typeof tags === "string" && tags !== "*" ? [tags] : tags;
  return { ifMatch: list(ifMatch), ifNoneMatch: list(ifNoneMatch) };
}
