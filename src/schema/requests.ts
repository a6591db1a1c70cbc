/** Schemas of queries, and of bodies that are not operations. */

import * as z from "zod/mini";
import type { BucketOptionsJson as BucketOptions, BucketsQueryJson } from "../contract/buckets.ts";
import type { ListQueryJson, RangeJson } from "../contract/entries.ts";
import { MAX_KEY_BYTES, MAX_PAGE } from "../model/limits.ts";
import { expires, ttl } from "./operations.ts";

const key64 = z.optional(
  z
    .string()
    .check(
      z.describe("The key in base64url, for a key that a path can't carry; it replaces the key in the path."),
    ),
);
const limit = z.optional(
  z.int().check(z.gte(1), z.lte(MAX_PAGE), z.describe("The largest number of items on the page.")),
);
/** A cursor is base64url, four characters for three bytes, so this limit fits every key. */
const cursor = z.optional(
  z.string().check(z.maxLength(2 * MAX_KEY_BYTES), z.describe("The `cursor` of the previous page.")),
);
/** Text that keys are compared with. It may be longer than the longest key, but need not be much longer. */
const text = z.string().check(
  z.maxLength(2 * MAX_KEY_BYTES),
  z.refine((given) => given.isWellFormed(), "half of a surrogate pair is not a character"),
);
const prefix = z.optional(text.check(z.describe("Only names or keys that begin with this text.")));
const range = {
  prefix,
  start: z.optional(text.check(z.describe("The first key, included."))),
  end: z.optional(text.check(z.describe("The end of the range, not included."))),
};

export const KeyQuery = z.strictObject({ key64 });
export const PutQuery = z.strictObject({
  key64,
  ttl: z.optional(ttl),
  expires: z.optional(expires),
  metadata: z.optional(z.string().check(z.describe("JSON, at most 1,024 bytes."))),
});
export const ListKeysQuery = z.strictObject({
  ...range,
  reverse: z.optional(z.boolean().check(z.describe("From the last key to the first."))),
  values: z.optional(z.boolean().check(z.describe("With values, except those of more than 1 MiB."))),
  cursor,
  limit,
}) satisfies z.core.$ZodType<ListQueryJson>;
export const RangeQuery = z.strictObject(range) satisfies z.core.$ZodType<RangeJson>;
export const BucketsQuery = z.strictObject({
  prefix,
  cursor,
  limit,
}) satisfies z.core.$ZodType<BucketsQueryJson>;
export const WatchQuery = z.strictObject({
  prefix,
  key: z.optional(z.string().check(z.describe("Only this key; instead of `prefix`."))),
  values: z.optional(z.boolean().check(z.describe("With values of up to 64 KiB; `true` if left out."))),
  snapshot: z.optional(z.boolean().check(z.describe("Start with all existing entries."))),
  since: z.optional(
    z
      .string()
      .check(
        z.describe(
          "Start after this revision: an event's `id`, or a number. The header `Last-Event-ID` takes precedence.",
        ),
      ),
  ),
});
export const ExportQuery = z.strictObject(range);
export const ImportQuery = z.strictObject({
  onError: z
    .optional(z.enum(["stop", "continue"]))
    .check(z.describe("Whether an invalid line stops the import; `stop` if left out.")),
  incarnation: z
    .optional(z.string())
    .check(z.describe("Import only into this incarnation of the bucket, as its description has it.")),
});

const LOCATION_HINTS = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"] as const;
const JURISDICTIONS = ["eu", "us", "fedramp", "fedramp-high"] as const;

export const BucketOptionsJson = z
  .strictObject({
    restart: z.optional(
      z
        .enum(["permanent", "temporary"])
        .check(
          z.describe(
            "Whether the bucket restarts with its data after an exit or a crash; `permanent` if left out.",
          ),
        ),
    ),
    locationHint: z.optional(z.enum(LOCATION_HINTS)),
    jurisdiction: z.optional(z.enum(JURISDICTIONS)),
    metadata: z.optional(z.unknown().check(z.describe("Any JSON, at most 1,024 bytes."))),
  })
  .check(z.meta({ id: "BucketOptions" })) satisfies z.core.$ZodType<BucketOptions>;

export const ExitJson = z
  .strictObject({
    reason: z.string().check(z.describe("1–256 bytes; `kill` can't be handled, `normal` is ignored.")),
  })
  .check(z.meta({ id: "Exit" }));
