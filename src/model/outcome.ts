/** Results of reads and writes. */

import type { Entry } from "./entry.ts";
import type { Failure } from "./errors.ts";

/** The result of a conditional read. A failed If-Match is no result but an error, `precondition_failed`. */
export type Found<T> =
  | { readonly outcome: "found"; readonly entry: T; readonly etag: string }
  | { readonly outcome: "not_modified"; readonly etag: string }
  | { readonly outcome: "absent" };

/** The result of one step. Its etag follows from the revision and the bucket's incarnation. */
export type Outcome =
  | { readonly op: "get"; readonly key: string; readonly entry: Entry | undefined }
  | { readonly op: "getAndDelete"; readonly key: string; readonly entry: Entry | undefined }
  | { readonly op: "put"; readonly key: string; readonly created: boolean; readonly revision: number }
  | { readonly op: "delete"; readonly key: string; readonly deleted: boolean }
  | {
      readonly op: "increment";
      readonly key: string;
      readonly value: bigint;
      readonly created: boolean;
      readonly revision: number;
    }
  | { readonly op: "names"; readonly names: readonly string[] };

/** The result of one operation of a batch or transaction. */
export type OperationOutcome = Exclude<Outcome, { readonly op: "names" }>;

/** A refused step. It changed nothing. */
export interface Refused {
  readonly error: Failure;
}
