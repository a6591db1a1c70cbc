/** What reading and writing an entry results in. */

import type { Entry, ListPage } from "./entry.ts";
import type { Failure } from "./errors.ts";

/** What a conditional read found. A condition that stops a read is an error, `precondition_failed`. */
export type Found<T> =
  | { readonly outcome: "found"; readonly entry: T; readonly etag: string }
  | { readonly outcome: "not_modified"; readonly etag: string }
  | { readonly outcome: "absent" };

/** What one step did; the etag follows from the revision and the bucket's incarnation. */
export type Outcome =
  | { readonly op: "get"; readonly key: string; readonly entry: Entry | undefined }
  | { readonly op: "put"; readonly key: string; readonly created: boolean; readonly revision: number }
  | { readonly op: "delete"; readonly key: string; readonly deleted: boolean }
  | {
      readonly op: "increment";
      readonly key: string;
      readonly value: bigint;
      readonly created: boolean;
      readonly revision: number;
    }
  | { readonly op: "list"; readonly page: ListPage };

/** The outcome of an operation of a batch or transaction. */
export type OperationOutcome = Exclude<Outcome, { readonly op: "list" }>;

/** A step that was refused, and changed nothing. */
export interface Refused {
  readonly error: Failure;
}
