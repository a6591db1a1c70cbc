/** Schemas of operations, batches and transactions, and their conversion to the model. */

import * as z from "zod/mini";
import { breath } from "../lib/breath.ts";
import type { Conditions } from "../model/conditions.ts";
import type { Increment, Properties } from "../model/entry.ts";
import type { Lifetime } from "../model/lifetime.ts";
import type { Comparison, Operation, Transaction } from "../model/operation.ts";
import { KvError } from "../model/errors.ts";
import { MAX_OPERATIONS, MAX_TTL_SECONDS } from "../model/limits.ts";
import { contentType, key as checkedKey, jsonOf, metadataJson, wholeValue } from "../model/validators.ts";
import { BYTES_TYPE, sentBytes, TEXT_TYPE, type Value } from "../model/value.ts";

/** Bytes of all values of one batch or transaction. The platform's limit for the message to the bucket is 32 MiB. */
const MAX_TOGETHER_BYTES = 24 * 1_048_576;

/** The content type of a value that is given as JSON. */
export const JSON_TYPE = "application/json";

const key = z.string().check(z.describe("1–1,024 bytes of well-formed UTF-8, without NUL."));
const integer = z
  .union([z.int(), z.string().check(z.regex(/^[+-]?\d{1,19}$/))])
  .check(z.describe("A 64-bit integer: a JSON number, or, beyond 2^53, its decimal digits."));
/** The pattern of a tag in the OpenAPI description. The check itself is in {@link tagList}, which gives a clearer error. */
const TAG_PATTERN = String.raw`^(?!W/|\*$)[\x21\x23-\x7e]+$`;
const oneTag = z.string().check(z.meta({ pattern: TAG_PATTERN }));
const tags = z
  .union([z.string().check(z.meta({ pattern: String.raw`^(?!W/)[\x21\x23-\x7e]+$` })), z.array(oneTag)])
  .check(z.describe('An `etag`, several etags, or "*". The operation runs only if the condition holds.'));
/** Seconds, with a precision of one millisecond. */
export const ttl = z
  .number()
  .check(
    z.gte(0.001),
    z.lte(MAX_TTL_SECONDS),
    z.describe("Seconds until the entry expires, fractions allowed; left out: never."),
  );
export const expires = z.iso
  .datetime({
    offset: true,
    error: "a time is written like 2030-01-01T00:00:00Z (RFC 3339; in a query + is %2B)",
  })
  .check(z.describe("When the entry expires (RFC 3339); instead of `ttl`."));
const metadata = z
  .unknown()
  .check(z.describe("Any JSON, at most 1,024 bytes; stored with the value and listed with the key."));

/** The OpenAPI description of members that exclude each other. The conversion functions below check them. */
const having = (...names: readonly string[]): object => ({
  required: names,
  properties: Object.fromEntries(names.map((name) => [name, {}])),
});
export const VALUE_ONCE = { oneOf: ["value", "json", "base64"].map((name) => having(name)) };
export const ONE_LIFETIME = { not: having("ttl", "expires") };

/** Exactly one of these members. */
const value = {
  value: z.optional(z.string().check(z.describe("The value as text; one of `value`, `json` and `base64`."))),
  json: z.optional(z.unknown().check(z.describe("The value as JSON; its type is application/json."))),
  base64: z.optional(z.string().check(z.describe("The value's bytes in base64."))),
};
const conditions = { ifMatch: z.optional(tags), ifNoneMatch: z.optional(tags) };
const lifetime = { ttl: z.optional(ttl), expires: z.optional(expires) };
const properties = {
  type: z.optional(z.string().check(z.describe("The content type."))),
  ...lifetime,
  metadata: z.optional(metadata),
};
const increment = {
  by: z.optional(integer),
  initial: z.optional(integer),
  ...lifetime,
};

export const PutJson = z
  .strictObject({ op: z.literal("put"), key, ...value, ...properties, ...conditions })
  .check(z.meta({ ...VALUE_ONCE, ...ONE_LIFETIME }));
export type PutJson = z.output<typeof PutJson>;

/** The options of the methods of a service binding. */
export const BoundPutJson = z.strictObject({ ...properties, ...conditions });
export const BoundConditionsJson = z.strictObject(conditions);
/** The member that makes a request run once. */
export const once = { idempotencyKey: z.optional(z.string()) };
export const BoundOnceJson = z.strictObject(once);
export const BoundIncrementJson = z.strictObject({ ...once, ...conditions });

export const IncrementJson = z.strictObject(increment).check(
  z.meta({
    id: "Increment",
    ...ONE_LIFETIME,
    description:
      "`by` is added (1 if left out). `initial`, `ttl` and `expires` apply to a missing key; an existing key keeps its own.",
  }),
);
export type IncrementJson = z.output<typeof IncrementJson>;

export const OperationJson = z
  .discriminatedUnion("op", [
    z.strictObject({ op: z.literal("get"), key, ...conditions }),
    PutJson,
    z.strictObject({ op: z.literal("delete"), key, ...conditions }),
    z.strictObject({ op: z.literal("getAndDelete"), key, ...conditions }),
    z
      .strictObject({ op: z.literal("increment"), key, ...increment, ...conditions })
      .check(z.meta(ONE_LIFETIME)),
  ])
  .check(z.meta({ id: "Operation" }));
export type OperationJson = z.output<typeof OperationJson>;

export const BatchJson = z.array(OperationJson).check(z.maxLength(MAX_OPERATIONS), z.meta({ id: "Batch" }));

const is = z
  .optional(z.enum(["=", "!=", "<", "<=", ">", ">="]))
  .check(z.describe("The relation that must hold; `=` if left out."));

export const ComparisonJson = z
  .strictObject({
    key,
    is,
    exists: z.optional(z.boolean().check(z.describe("Whether the key exists."))),
    revision: z.optional(
      z.int().check(z.gte(0), z.describe("The entry's revision; 0 stands for a missing key.")),
    ),
    integer: z.optional(integer),
    ...value,
  })
  .check(
    z.meta({
      id: "Comparison",
      oneOf: ["exists", "revision", "integer", "value", "json", "base64"].map((name) => having(name)),
      description:
        "Compares one of `exists`, `revision`, `integer`, and the value's bytes (`value`, `json` or `base64`). For a missing key, or a value that is not an integer where one is compared, only `!=` holds.",
    }),
  );
export type ComparisonJson = z.output<typeof ComparisonJson>;

const branch = z.optional(z.array(OperationJson).check(z.maxLength(MAX_OPERATIONS)));

export const TransactionJson = z
  .strictObject({
    if: z.optional(z.array(ComparisonJson).check(z.maxLength(MAX_OPERATIONS))),
    then: branch,
    else: branch,
  })
  .check(
    z.meta({
      id: "Transaction",
      description:
        "If every comparison holds, `then` runs, otherwise `else`: all of its operations, or none if one is refused.",
    }),
  );
export type TransactionJson = z.output<typeof TransactionJson>;

/**
 * The operations of a batch.
 * @throws {KvError} `key_invalid`, `key_too_long`, `value_too_large`, `metadata_too_large`, `content_type_invalid`,
 *   `body_too_large`, `body_invalid`; the detail begins with the place, for example `[3]`
 */
export async function operationsOf(batch: readonly OperationJson[]): Promise<Operation[]> {
  const operations = await eachOf("", batch, operationOf);
  checkTogether(operations);
  return operations;
}

/** A transaction. @throws {KvError} as {@link operationsOf}; the place is, for example, `then[3]` */
export async function transactionOf({
  if: comparisons = [],
  then = [],
  else: otherwise = [],
}: TransactionJson): Promise<Transaction> {
  const transaction = {
    if: await eachOf("if", comparisons, comparisonOf),
    then: await eachOf("then", then, operationOf),
    else: await eachOf("else", otherwise, operationOf),
  };
  checkTogether([...transaction.if, ...transaction.then, ...transaction.else]);
  return transaction;
}

/** Converts each member of a list. A value may be a megabyte of JSON, so other requests run between the members. */
async function eachOf<From, To extends Operation | Comparison>(
  list: string,
  given: readonly From[],
  convert: (one: From) => To,
): Promise<To[]> {
  const all: To[] = [];
  for (const [index, one] of given.entries()) {
    const converted = at(`${list}[${index}]`, () => convert(one));
    all.push(converted);
    const pause = breath.takeJson("value" in converted ? sentBytes(converted.value) : 0);
    if (pause !== undefined) await pause;
  }
  return all;
}

/** Checks that all values together fit the message to the bucket. JSON may have grown when it was serialized again. */
function checkTogether(parts: readonly (Operation | Comparison)[]): void {
  let bytes = 0;
  for (const part of parts) if ("value" in part) bytes += sentBytes(part.value);
  if (bytes <= MAX_TOGETHER_BYTES) return;
  throw new KvError(
    "body_too_large",
    `The values of one request have at most ${MAX_TOGETHER_BYTES} bytes together; text beyond Latin-1 counts two bytes for each character. Send them in several requests.`,
  );
}

/** An increment. @throws {KvError} `body_invalid` if both `ttl` and `expires` are given */
export function incrementOf({ by = 1, initial = 0, ...rest }: IncrementJson): Increment {
  return { by: BigInt(by), initial: BigInt(initial), lifetime: lifetimeOf(rest) };
}

/** A lifetime; undefined if neither member is given. @throws {KvError} with this code, if both are given */
export function lifetimeOf(
  given: { readonly ttl?: number | undefined; readonly expires?: string | undefined },
  code: "body_invalid" | "query_invalid" = "body_invalid",
): Lifetime | undefined {
  if (given.ttl !== undefined && given.expires !== undefined) {
    throw new KvError(code, "Give ttl or expires, not both.");
  }
  if (given.ttl !== undefined) return { ttl: given.ttl };
  return given.expires === undefined ? undefined : { expires: Date.parse(given.expires) };
}

/** The value and the properties of a put. @throws {KvError} `body_invalid`, `content_type_invalid`, `metadata_too_large` */
export function putOf(put: Omit<PutJson, "op" | "key" | "ifMatch" | "ifNoneMatch">): {
  readonly value: Value;
  readonly properties: Properties;
} {
  return {
    value: valueOf(put),
    properties: {
      type: put.type === undefined ? typeOf(put) : givenType(put.type),
      lifetime: lifetimeOf(put),
      metadata: put.metadata === undefined ? null : metadataJson(put.metadata),
    },
  };
}

function operationOf(operation: OperationJson): Operation {
  const { op } = operation;
  const target = { key: checkedKey(operation.key), conditions: conditionsOf(operation) };
  switch (op) {
    case "put": {
      const { value: given, properties: kept } = putOf(operation);
      return { op, ...target, value: wholeValue(given), properties: kept };
    }
    case "increment":
      return { op, ...target, increment: incrementOf(operation) };
    default:
      return { op, ...target };
  }
}

function comparisonOf(comparison: ComparisonJson): Comparison {
  const { key: name, is: relation = "=", exists, revision, integer: number, ...given } = comparison;
  const target = { key: checkedKey(name), is: relation };
  const compared = Object.values({ exists, revision, number, ...given }).filter((part) => part !== undefined);
  if (compared.length !== 1) {
    throw new KvError("body_invalid", "Compare one of exists, revision, integer, value, json and base64.");
  }
  if (exists !== undefined) return { ...target, exists };
  if (revision !== undefined) return { ...target, revision };
  if (number !== undefined) return { ...target, integer: BigInt(number) };
  return { ...target, value: wholeValue(valueOf(given)) };
}

interface ValueJson {
  readonly value?: string | undefined;
  readonly json?: unknown;
  readonly base64?: string | undefined;
}

function valueOf({ value: text, json, base64 }: ValueJson): Value {
  const given = [text, json, base64].filter((part) => part !== undefined);
  if (given.length !== 1) {
    throw new KvError("body_invalid", "Give the value exactly once: as value, json or base64.");
  }
  // RPC callers may pass JSON with a bigint or a cycle, which `jsonOf` refuses.
  if (base64 === undefined) return text === undefined ? jsonOf(json, "json is not JSON.") : wellFormed(text);
  try {
    return Uint8Array.fromBase64(base64).buffer;
  } catch {
    throw new KvError("body_invalid", "base64 is not base64.");
  }
}

function wellFormed(text: string): string {
  if (text.isWellFormed()) return text;
  throw new KvError("body_invalid", "The value has half of a surrogate pair. Give other bytes as base64.");
}

/** The stored content type. Plain text is null even if it is given explicitly, so equal requests are stored equally. */
function givenType(type: string): string | null {
  const checked = contentType(type);
  return checked === TEXT_TYPE ? null : checked;
}

function typeOf({ value: text, json }: ValueJson): string | null {
  if (json !== undefined) return JSON_TYPE;
  return text === undefined ? BYTES_TYPE : null;
}

/** The conditions of an operation; undefined if it has none. @throws {KvError} `body_invalid` */
export function conditionsOf({
  ifMatch,
  ifNoneMatch,
}: {
  readonly ifMatch?: Tags;
  readonly ifNoneMatch?: Tags;
}): Conditions | undefined {
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined;
  return {
    ...(ifMatch === undefined ? {} : { ifMatch: tagList(ifMatch) }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch: tagList(ifNoneMatch) }),
  };
}

/** An opaque tag (RFC 9110 §8.8.3), but neither `*` nor a weak tag. */
const TAG = new RegExp(TAG_PATTERN);

type Tags = string | readonly string[] | undefined;

/** Refuses text that can't be an etag: it would match no entry, so `ifNoneMatch` with a mistyped tag would always hold. */
function tagList(given: string | readonly string[]): "*" | readonly string[] {
  if (given === "*") return "*";
  const list = typeof given === "string" ? [given] : given;
  if (list.every((tag) => TAG.test(tag))) return list;
  throw new KvError(
    "body_invalid",
    'ifMatch and ifNoneMatch are an etag without quotes, as in `etag`, a list of etags, or "*".',
  );
}

/** Adds the place in the request to the error of a conversion. */
function at<T>(where: string, convert: () => T): T {
  try {
    return convert();
  } catch (error) {
    if (error instanceof KvError) throw error.at(where);
    throw error;
  }
}
