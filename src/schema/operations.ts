/** Operations, batches and transactions as JSON, and what they mean. */

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

/** Bytes of the values of one batch or transaction, on their way to the bucket; a message has 32 MiB. */
const MAX_TOGETHER_BYTES = 24 * 1_048_576;

export const JSON_TYPE = "application/json";

const key = z.string().check(z.describe("1–1,024 bytes of well-formed UTF-8, without NUL."));
const integer = z
  .union([z.int(), z.string().check(z.regex(/^[+-]?\d{1,19}$/))])
  .check(z.describe("A 64-bit integer: a JSON number, or, beyond 2^53, its decimal digits."));
/** What the description says of a tag; what is checked is in {@link tagList}, which says more of what is wrong. */
const TAG_PATTERN = String.raw`^(?!W/|\*$)[\x21\x23-\x7e]+$`;
const oneTag = z.string().check(z.meta({ pattern: TAG_PATTERN }));
const tags = z
  .union([z.string().check(z.meta({ pattern: String.raw`^(?!W/)[\x21\x23-\x7e]+$` })), z.array(oneTag)])
  .check(z.describe('An `etag`, several of them, or "*". The operation is done only if it holds.'));
/** To the millisecond, as entries expire. */
export const ttl = z
  .number()
  .check(
    z.gte(0.001),
    z.lte(MAX_TTL_SECONDS),
    z.describe("Seconds that the entry lives, also parts of one; without it, for ever."),
  );
export const expires = z.iso
  .datetime({ offset: true, error: "a time is as in 2030-01-01T00:00:00Z (RFC 3339; in a query + is %2B)" })
  .check(z.describe("When the entry expires (RFC 3339); instead of `ttl`."));
const metadata = z
  .unknown()
  .check(z.describe("Any JSON, at most 1,024 bytes; kept beside the value and listed with the key."));

/** What the description says of members that exclude each other; they are checked where they are read. */
const having = (...names: readonly string[]): object => ({
  required: names,
  properties: Object.fromEntries(names.map((name) => [name, {}])),
});
export const VALUE_ONCE = { oneOf: ["value", "json", "base64"].map((name) => having(name)) };
export const ONE_LIFETIME = { not: having("ttl", "expires") };

/** Exactly one of them. */
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

/** What a binding's verbs take beside what they are about. */
export const BoundPutJson = z.strictObject({ ...properties, ...conditions });
export const BoundConditionsJson = z.strictObject(conditions);
/** What makes a request one that is done once. */
export const once = { idempotencyKey: z.optional(z.string()) };
export const BoundOnceJson = z.strictObject(once);
export const BoundIncrementJson = z.strictObject({ ...once, ...conditions });

export const IncrementJson = z.strictObject(increment).check(
  z.meta({
    id: "Increment",
    ...ONE_LIFETIME,
    description:
      "What is added (1 if left out). `initial`, `ttl` and `expires` are those of a key that is not there yet; one that is there keeps its own.",
  }),
);
export type IncrementJson = z.output<typeof IncrementJson>;

export const OperationJson = z
  .discriminatedUnion("op", [
    z.strictObject({ op: z.literal("get"), key, ...conditions }),
    PutJson,
    z.strictObject({ op: z.literal("delete"), key, ...conditions }),
    z
      .strictObject({ op: z.literal("increment"), key, ...increment, ...conditions })
      .check(z.meta(ONE_LIFETIME)),
  ])
  .check(z.meta({ id: "Operation" }));
export type OperationJson = z.output<typeof OperationJson>;

export const BatchJson = z.array(OperationJson).check(z.maxLength(MAX_OPERATIONS), z.meta({ id: "Batch" }));

const is = z
  .optional(z.enum(["=", "!=", "<", "<=", ">", ">="]))
  .check(z.describe("How it relates to what is compared with; `=` if left out."));

export const ComparisonJson = z
  .strictObject({
    key,
    is,
    exists: z.optional(z.boolean().check(z.describe("Whether the key is there."))),
    revision: z.optional(
      z.int().check(z.gte(0), z.describe("Its revision; 0 stands for a key that is not there.")),
    ),
    integer: z.optional(integer),
    ...value,
  })
  .check(
    z.meta({
      id: "Comparison",
      oneOf: ["exists", "revision", "integer", "value", "json", "base64"].map((name) => having(name)),
      description:
        "Compares one of `exists`, `revision`, `integer`, and the value's bytes (`value`, `json` or `base64`). A key that is not there, or no integer where one is compared, is only `!=`.",
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
        "If every comparison holds, `then` is done, otherwise `else`: all of it, or, if one operation is turned down, nothing.",
    }),
  );
export type TransactionJson = z.output<typeof TransactionJson>;

/** @throws {KvError} `key_invalid`, `value_too_large`, `body_too_large`, `body_invalid` and others; it says where. */
export async function operationsOf(batch: readonly OperationJson[]): Promise<Operation[]> {
  const operations = await eachOf("", batch, operationOf);
  checkTogether(operations);
  return operations;
}

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

/** A value may be a megabyte of JSON, to be written anew: others are let in between them. */
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

/** What they have of values has to fit the message to the bucket: written anew, JSON may have grown. */
function checkTogether(parts: readonly (Operation | Comparison)[]): void {
  let bytes = 0;
  for (const part of parts) if ("value" in part) bytes += sentBytes(part.value);
  if (bytes <= MAX_TOGETHER_BYTES) return;
  throw new KvError(
    "body_too_large",
    `The values of one request have at most ${MAX_TOGETHER_BYTES} bytes, and text beyond Latin-1 two for each character. Send them in parts.`,
  );
}

export function incrementOf({ by = 1, initial = 0, ...rest }: IncrementJson): Increment {
  return { by: BigInt(by), initial: BigInt(initial), lifetime: lifetimeOf(rest) };
}

/** @throws {KvError} with this code, if both are given. */
export function lifetimeOf(
  given: { readonly ttl?: number | undefined; readonly expires?: string | undefined },
  code: "body_invalid" | "query_invalid" = "body_invalid",
): Lifetime | undefined {
  if (given.ttl !== undefined && given.expires !== undefined) {
    throw new KvError(code, "An entry has a ttl, or a time at which it expires, not both.");
  }
  if (given.ttl !== undefined) return { ttl: given.ttl };
  return given.expires === undefined ? undefined : { expires: Date.parse(given.expires) };
}

/** The value and what is kept beside it. */
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
    throw new KvError("body_invalid", "The value is given once: as value, as json, or as base64.");
  }
  // Over RPC there may be a bigint in the JSON, or a circle.
  if (base64 === undefined) return text === undefined ? jsonOf(json, "json is no JSON.") : wellFormed(text);
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

/** The type of plain text is null, also where it is spelled out: what means the same is the same. */
function givenType(type: string): string | null {
  const checked = contentType(type);
  return checked === TEXT_TYPE ? null : checked;
}

function typeOf({ value: text, json }: ValueJson): string | null {
  if (json !== undefined) return JSON_TYPE;
  return text === undefined ? BYTES_TYPE : null;
}

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

/** An opaque tag (RFC 9110 §8.8.3), and neither `*` nor a weak one. */
const TAG = new RegExp(TAG_PATTERN);

type Tags = string | readonly string[] | undefined;

/** What can never be a tag of ours never matches, and an `ifNoneMatch` with it would hold for whatever is there. */
function tagList(given: string | readonly string[]): "*" | readonly string[] {
  if (given === "*") return "*";
  const list = typeof given === "string" ? [given] : given;
  if (list.every((tag) => TAG.test(tag))) return list;
  throw new KvError(
    "body_invalid",
    'ifMatch and ifNoneMatch are an etag as `etag` says it, without quotes, a list of them, or "*".',
  );
}

function at<T>(where: string, convert: () => T): T {
  try {
    return convert();
  } catch (error) {
    if (error instanceof KvError) throw error.at(where);
    throw error;
  }
}
