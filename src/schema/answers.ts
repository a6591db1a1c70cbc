/** Schemas of the JSON responses; the OpenAPI description is made from them. */

import * as z from "zod/mini";
import type { BucketJson, BucketsPage } from "../contract/buckets.ts";
import type { EntryJson, ImportResult, Incremented, KeysPage } from "../contract/entries.ts";
import type { BatchResults, ResultJson, TransactionResults } from "../contract/operations.ts";

const revision = z.int().check(z.gte(0), z.describe("The bucket's revision that wrote the entry."));
const etag = z.string().check(z.describe("For `ifMatch`; in quotes for the header If-Match."));
const count = z.int().check(z.gte(0));
const time = z.iso.datetime();
const integer = z
  .union([z.int(), z.string()])
  .check(
    z.describe(
      "A number while every JSON reader holds it exactly (up to 2^53), otherwise its decimal digits as text.",
    ),
  );

const entry = {
  key: z.string(),
  revision,
  etag,
  type: z.string().check(z.describe("The content type.")),
  size: z.int().check(z.gte(0), z.describe("Bytes of the value.")),
  modified: z.optional(time),
  expires: z.optional(time),
  metadata: z.optional(z.unknown()),
  value: z.optional(
    z
      .string()
      .check(z.describe("The value as text; left out if it was not requested, is not UTF-8, or is large.")),
  ),
  base64: z.optional(z.string().check(z.describe("The value in base64, if it is not UTF-8."))),
};

export const EntryAnswer = z
  .strictObject(entry)
  .check(z.meta({ id: "Entry" })) satisfies z.core.$ZodType<EntryJson>;
export const KeysAnswer = z
  .strictObject({
    keys: z.array(EntryAnswer),
    cursor: z.optional(
      z.string().check(z.describe("Present if there are more keys: send it back for the next page.")),
    ),
  })
  .check(z.meta({ id: "Keys" })) satisfies z.core.$ZodType<KeysPage>;
export const RemovedAnswer = z.strictObject({ deleted: count }).check(z.meta({ id: "Removed" }));

const incremented = { value: integer, created: z.boolean(), revision, etag };
export const IncrementAnswer = z
  .strictObject(incremented)
  .check(z.meta({ id: "Incremented" })) satisfies z.core.$ZodType<Incremented>;

export const ProblemAnswer = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().check(z.describe("What happened this time, and what to do about it.")),
    code: z.string().check(z.describe("Stable error code; programs should decide by it.")),
  })
  .check(z.meta({ id: "Problem", description: "RFC 9457." }));

const results = [
  z.strictObject({ op: z.literal("get"), found: z.literal(true), ...entry }),
  z.strictObject({ op: z.literal("get"), found: z.literal(false), key: z.string() }),
  z.strictObject({ op: z.literal("getAndDelete"), found: z.literal(true), ...entry }),
  z.strictObject({ op: z.literal("getAndDelete"), found: z.literal(false), key: z.string() }),
  z.strictObject({ op: z.literal("put"), key: z.string(), created: z.boolean(), revision, etag }),
  z.strictObject({ op: z.literal("delete"), key: z.string(), deleted: z.boolean() }),
  z.strictObject({ op: z.literal("increment"), key: z.string(), ...incremented }),
] as const;
export const ResultAnswer = z
  .union(results)
  .check(z.meta({ id: "Result" })) satisfies z.core.$ZodType<ResultJson>;
const failed = z.strictObject({
  op: z.enum(["get", "put", "delete", "getAndDelete", "increment"]),
  key: z.string(),
  error: z.strictObject({ code: z.string(), title: z.string(), status: z.int(), detail: z.string() }),
});
export const BatchAnswer = z
  .strictObject({ results: z.array(z.union([ResultAnswer, failed])) })
  .check(z.meta({ id: "BatchResults" })) satisfies z.core.$ZodType<BatchResults>;
export const TransactionAnswer = z
  .strictObject({
    succeeded: z.boolean().check(z.describe("True: `then` ran. False: `else` ran.")),
    results: z.array(ResultAnswer),
  })
  .check(z.meta({ id: "TransactionResults" })) satisfies z.core.$ZodType<TransactionResults>;

export const ImportAnswer = z
  .strictObject({
    lines: count,
    imported: count,
    unchanged: z
      .int()
      .check(z.gte(0), z.describe("Entries that existed already with the same value and properties.")),
    expired: z.int().check(z.gte(0), z.describe("Entries whose lifetime was over.")),
    failed: count,
    errors: z
      .array(z.strictObject({ line: count, code: z.string(), detail: z.string() }))
      .check(z.describe("The first 1,000 errors.")),
  })
  .check(z.meta({ id: "Imported" })) satisfies z.core.$ZodType<ImportResult>;

export const BucketAnswer = z
  .strictObject({
    name: z.string(),
    id: z.string(),
    incarnation: z.string().check(z.describe("New for each bucket of the name.")),
    status: z.enum(["running", "suspect", "unreachable"]),
    restart: z.enum(["permanent", "temporary"]),
    restarts: count,
    lastReason: z.optional(z.string()),
    createdAt: time,
    jurisdiction: z.optional(z.string().check(z.describe("As given at creation, like `locationHint`."))),
    locationHint: z.optional(z.string()),
    metadata: z.optional(z.unknown()),
    entries: z.optional(count),
    bytes: z.optional(count),
    revision: z.optional(count),
    probedAt: z.optional(time),
    probeAgeMs: z.optional(count),
  })
  .check(z.meta({ id: "Bucket" })) satisfies z.core.$ZodType<BucketJson>;
export const BucketsAnswer = z
  .strictObject({ buckets: z.array(BucketAnswer), cursor: z.optional(z.string()) })
  .check(z.meta({ id: "Buckets" })) satisfies z.core.$ZodType<BucketsPage>;
export const RegistryAnswer = z
  .strictObject({
    partitions: count,
    names: count,
    states: z.record(z.string(), count),
    sweep: z.record(z.string(), count),
  })
  .check(z.meta({ id: "RegistryStats" }));
export const HealthAnswer = z.strictObject({ status: z.literal("ok") }).check(z.meta({ id: "Health" }));
/** /openapi.json: what it has in it is OpenAPI's to say. */
export const DescriptionAnswer = z.looseObject({});
