/** Compile-time tests: each schema takes exactly the shape that contract/ publishes, neither more members nor fewer. */

import type * as z from "zod/mini";
import type {
  BucketJson,
  BucketOptionsJson,
  BucketsPage,
  BucketsQueryJson,
} from "../../src/contract/buckets.ts";
import type {
  EntryJson,
  ImportResult,
  Incremented,
  KeysPage,
  ListQueryJson,
  RangeJson,
} from "../../src/contract/entries.ts";
import type {
  BatchResults,
  ComparisonJson,
  IncrementJson,
  OperationJson,
  ResultJson,
  TransactionJson,
  TransactionResults,
} from "../../src/contract/operations.ts";
import type * as answers from "../../src/schema/answers.ts";
import type * as operations from "../../src/schema/operations.ts";
import type * as requests from "../../src/schema/requests.ts";

/** Lists that can be written to are taken for those that can't: what is parsed is the parser's own. */
type Immutable<T> = T extends readonly (infer Member)[]
  ? readonly Immutable<Member>[]
  : T extends object
    ? { readonly [Name in keyof T]: Immutable<T[Name]> }
    : T;
type Taken<Schema> = Immutable<z.input<Schema>>;

/** Compiles only if the first can be assigned to the second. */
type Fits<One extends Other, Other> = [One, Other];

export type Answers = [
  Fits<Taken<typeof answers.EntryAnswer>, EntryJson>,
  Fits<EntryJson, Taken<typeof answers.EntryAnswer>>,
  Fits<Taken<typeof answers.KeysAnswer>, KeysPage>,
  Fits<KeysPage, Taken<typeof answers.KeysAnswer>>,
  Fits<Taken<typeof answers.IncrementAnswer>, Incremented>,
  Fits<Incremented, Taken<typeof answers.IncrementAnswer>>,
  Fits<Taken<typeof answers.ImportAnswer>, ImportResult>,
  Fits<ImportResult, Taken<typeof answers.ImportAnswer>>,
  Fits<Taken<typeof answers.ResultAnswer>, ResultJson>,
  Fits<ResultJson, Taken<typeof answers.ResultAnswer>>,
  Fits<Taken<typeof answers.BatchAnswer>, BatchResults>,
  Fits<BatchResults, Taken<typeof answers.BatchAnswer>>,
  Fits<Taken<typeof answers.TransactionAnswer>, TransactionResults>,
  Fits<TransactionResults, Taken<typeof answers.TransactionAnswer>>,
  Fits<Taken<typeof answers.BucketAnswer>, BucketJson>,
  Fits<BucketJson, Taken<typeof answers.BucketAnswer>>,
  Fits<Taken<typeof answers.BucketsAnswer>, BucketsPage>,
  Fits<BucketsPage, Taken<typeof answers.BucketsAnswer>>,
];

/** Members that exclude each other are optional in a schema, so there only this way holds. */
export type Requests = [
  Fits<OperationJson, Taken<typeof operations.OperationJson>>,
  Fits<ComparisonJson, Taken<typeof operations.ComparisonJson>>,
  Fits<TransactionJson, Taken<typeof operations.TransactionJson>>,
  Fits<IncrementJson, Taken<typeof operations.IncrementJson>>,
  Fits<ListQueryJson, Taken<typeof requests.ListKeysQuery>>,
  Fits<Taken<typeof requests.ListKeysQuery>, ListQueryJson>,
  Fits<RangeJson, Taken<typeof requests.RangeQuery>>,
  Fits<Taken<typeof requests.RangeQuery>, RangeJson>,
  Fits<BucketsQueryJson, Taken<typeof requests.BucketsQuery>>,
  Fits<Taken<typeof requests.BucketsQuery>, BucketsQueryJson>,
  Fits<BucketOptionsJson, Taken<typeof requests.BucketOptionsJson>>,
  Fits<Taken<typeof requests.BucketOptionsJson>, BucketOptionsJson>,
];
