/** The published shapes of operations, batches and transactions in the API's JSON, and of their results. Types only. */

import type {
  ConditionsJson,
  EntryJson,
  Incremented,
  IntegerJson,
  LifetimeJson,
  PropertiesJson,
  Written,
} from "./entries.ts";

/** A value as text, as JSON, or in base64: exactly one of the three. */
export type ValueJson =
  | { readonly value: string; readonly json?: never; readonly base64?: never }
  | { readonly json: unknown; readonly value?: never; readonly base64?: never }
  | { readonly base64: string; readonly value?: never; readonly json?: never };

/** What an increment adds. `initial` and the lifetime apply to a missing key; an existing key keeps its own. */
export type IncrementJson<Integer = IntegerJson> = LifetimeJson & {
  /** 1 if left out. */
  readonly by?: Integer | undefined;
  /** 0 if left out. */
  readonly initial?: Integer | undefined;
};

/** One operation on one key. @typeParam Integer the type of a 64-bit integer */
export type OperationJson<Integer = IntegerJson> =
  | ({ readonly op: "get"; readonly key: string } & ConditionsJson)
  | ({ readonly op: "put"; readonly key: string } & ValueJson & PropertiesJson & ConditionsJson)
  | ({ readonly op: "delete"; readonly key: string } & ConditionsJson)
  | ({ readonly op: "getAndDelete"; readonly key: string } & ConditionsJson)
  | ({ readonly op: "increment"; readonly key: string } & IncrementJson<Integer> & ConditionsJson);

/** The relation between the stored value and the given one. */
export type Relation = "=" | "!=" | "<" | "<=" | ">" | ">=";

/**
 * A condition of a transaction. `is` is `=` if left out. For a missing key, or a value that is not an integer where one
 * is compared, only `!=` holds.
 */
export type ComparisonJson<Integer = IntegerJson> = {
  readonly key: string;
  readonly is?: Relation | undefined;
} & (
  { readonly exists: boolean } | { readonly revision: number } | { readonly integer: Integer } | ValueJson
);

/** A transaction: if every comparison holds, `then` runs, otherwise `else`; all of its operations or none. */
export interface TransactionJson<Integer = IntegerJson> {
  readonly if?: readonly ComparisonJson<Integer>[] | undefined;
  readonly then?: readonly OperationJson<Integer>[] | undefined;
  readonly else?: readonly OperationJson<Integer>[] | undefined;
}

/** The result of one operation. */
export type ResultJson =
  | ({ readonly op: "get"; readonly found: true } & EntryJson)
  | { readonly op: "get"; readonly found: false; readonly key: string }
  | ({ readonly op: "getAndDelete"; readonly found: true } & EntryJson)
  | { readonly op: "getAndDelete"; readonly found: false; readonly key: string }
  | ({ readonly op: "put"; readonly key: string } & Written)
  | { readonly op: "delete"; readonly key: string; readonly deleted: boolean }
  | ({ readonly op: "increment"; readonly key: string } & Incremented);

/** An error: the members of RFC 9457's problem details that do not depend on the transport. */
export interface FailureJson {
  /** Stable error code; programs should decide by it. */
  readonly code: string;
  readonly status: number;
  readonly title: string;
  /** What happened this time, and what to do about it. */
  readonly detail: string;
}

/** A refused operation of a batch. It changed nothing. */
export interface FailedJson {
  readonly op: "get" | "put" | "delete" | "getAndDelete" | "increment";
  readonly key: string;
  readonly error: FailureJson;
}

/** The results of a batch, one for each operation, in their order. */
export interface BatchResults {
  readonly results: readonly (ResultJson | FailedJson)[];
}

/** The result of a transaction. */
export interface TransactionResults {
  /** True: `then` ran. False: `else` ran. */
  readonly succeeded: boolean;
  readonly results: readonly ResultJson[];
}
