/** Operations, batches and transactions as the API's JSON has them, and their results. */

import type {
  ConditionsJson,
  EntryJson,
  Incremented,
  IntegerJson,
  LifetimeJson,
  PropertiesJson,
  Written,
} from "./entries.ts";

/** A value as text, as JSON, or in base64: exactly one of them. */
export type ValueJson =
  | { readonly value: string; readonly json?: never; readonly base64?: never }
  | { readonly json: unknown; readonly value?: never; readonly base64?: never }
  | { readonly base64: string; readonly value?: never; readonly json?: never };

/** `initial` and the lifetime apply to a key that is not there yet; an existing key keeps its own. */
export type IncrementJson<Integer = IntegerJson> = LifetimeJson & {
  /** 1 if left out. */
  readonly by?: Integer | undefined;
  /** 0 if left out. */
  readonly initial?: Integer | undefined;
};

/** @typeParam Integer how a 64-bit integer may be given */
export type OperationJson<Integer = IntegerJson> =
  | ({ readonly op: "get"; readonly key: string } & ConditionsJson)
  | ({ readonly op: "put"; readonly key: string } & ValueJson & PropertiesJson & ConditionsJson)
  | ({ readonly op: "delete"; readonly key: string } & ConditionsJson)
  | ({ readonly op: "increment"; readonly key: string } & IncrementJson<Integer> & ConditionsJson);

/** How a value relates to what it is compared with. */
export type Relation = "=" | "!=" | "<" | "<=" | ">" | ">=";

/** `=` if `is` is left out. A key that is not there, or is no integer where one is compared, is only `!=`. */
export type ComparisonJson<Integer = IntegerJson> = {
  readonly key: string;
  readonly is?: Relation | undefined;
} & (
  { readonly exists: boolean } | { readonly revision: number } | { readonly integer: Integer } | ValueJson
);

/** If every comparison holds, `then` is done, otherwise `else`: all of it or nothing. */
export interface TransactionJson<Integer = IntegerJson> {
  readonly if?: readonly ComparisonJson<Integer>[] | undefined;
  readonly then?: readonly OperationJson<Integer>[] | undefined;
  readonly else?: readonly OperationJson<Integer>[] | undefined;
}

/** The result of one operation. */
export type ResultJson =
  | ({ readonly op: "get"; readonly found: true } & EntryJson)
  | { readonly op: "get"; readonly found: false; readonly key: string }
  | ({ readonly op: "put"; readonly key: string } & Written)
  | { readonly op: "delete"; readonly key: string; readonly deleted: boolean }
  | ({ readonly op: "increment"; readonly key: string } & Incremented);

/** What went wrong: the members of RFC 9457's problem details that do not depend on the transport. */
export interface FailureJson {
  /** Stable: the part to decide by. */
  readonly code: string;
  readonly status: number;
  readonly title: string;
  /** What happened this time, and what to do about it. */
  readonly detail: string;
}

/** An operation of a batch that was refused and changed nothing. */
export interface FailedJson {
  readonly op: "get" | "put" | "delete" | "increment";
  readonly key: string;
  readonly error: FailureJson;
}

export interface BatchResults {
  readonly results: readonly (ResultJson | FailedJson)[];
}

export interface TransactionResults {
  /** Whether `then` was done, and not `else`. */
  readonly succeeded: boolean;
  readonly results: readonly ResultJson[];
}
