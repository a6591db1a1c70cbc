/** Results as JSON: the response bodies of batches, transactions and increments. Pure. */

import type { Incremented, IntegerJson } from "../contract/entries.ts";
import type { FailedJson } from "../contract/operations.ts";
import { etag } from "../model/conditions.ts";
import type { Operation } from "../model/operation.ts";
import type { OperationOutcome, Refused } from "../model/outcome.ts";
import { entryText } from "./entry-json.ts";

/** The JSON text of a `BatchResults`. @param outcomes one for each operation, in their order */
export function batchText(
  incarnation: string,
  operations: readonly Operation[],
  outcomes: readonly (OperationOutcome | Refused)[],
): string {
  const results = outcomes.map((outcome, index) =>
    "error" in outcome
      ? JSON.stringify(failedJson(operations[index] as Operation, outcome))
      : resultText(incarnation, outcome),
  );
  return `{"results":[${results.join(",")}]}`;
}

/** The JSON text of a `TransactionResults`. */
export function transactionText(
  incarnation: string,
  { succeeded, outcomes }: { readonly succeeded: boolean; readonly outcomes: readonly OperationOutcome[] },
): string {
  const results = outcomes.map((outcome) => resultText(incarnation, outcome));
  return `{"succeeded":${succeeded},"results":[${results.join(",")}]}`;
}

/** The result of an increment. */
export function incrementedJson(
  incarnation: string,
  { value, created, revision }: OperationOutcome & { readonly op: "increment" },
): Incremented {
  return { value: integerJson(value), created, revision, etag: etag(incarnation, revision) };
}

/** The JSON text of one `Result`, written without an object in between: most of the time of a batch would go there. */
function resultText(incarnation: string, outcome: OperationOutcome): string {
  const { op } = outcome;
  const key = JSON.stringify(outcome.key);
  switch (op) {
    case "get":
    case "getAndDelete": {
      const { entry } = outcome;
      if (entry === undefined) return `{"op":"${op}","found":false,"key":${key}}`;
      const value = entry.large === null ? entry.value : undefined;
      return `{"op":"${op}","found":true,${entryText(incarnation, outcome.key, entry, value).slice(1)}`;
    }
    case "put": {
      const { created, revision } = outcome;
      return `{"op":"put","key":${key},"created":${created},"revision":${revision},"etag":"${etag(incarnation, revision)}"}`;
    }
    case "delete":
      return `{"op":"delete","key":${key},"deleted":${outcome.deleted}}`;
    case "increment":
      return `{"op":"increment","key":${key},${JSON.stringify(incrementedJson(incarnation, outcome)).slice(1)}`;
  }
}

function failedJson({ op, key }: Operation, { error }: Refused): FailedJson {
  return { op, key, error };
}

function integerJson(value: bigint): IntegerJson {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}
