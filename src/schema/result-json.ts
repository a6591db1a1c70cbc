/** Results as JSON: the response bodies of batches, transactions and increments. Pure. */

import type { Incremented, IntegerJson } from "../contract/entries.ts";
import type { FailedJson, ResultJson } from "../contract/operations.ts";
import { etag } from "../model/conditions.ts";
import { keptTexts } from "../model/kept-json.ts";
import type { Operation } from "../model/operation.ts";
import type { OperationOutcome, Refused } from "../model/outcome.ts";
import { entryJson } from "./entry-json.ts";

/** The JSON text of a `BatchResults`. @param outcomes one for each operation, in their order */
export function batchText(
  incarnation: string,
  operations: readonly Operation[],
  outcomes: readonly (OperationOutcome | Refused)[],
): string {
  const results = outcomes.map((outcome, index) =>
    "error" in outcome
      ? failedJson(operations[index] as Operation, outcome)
      : resultJson(incarnation, outcome),
  );
  return `{"results":${keptTexts(results)}}`;
}

/** The JSON text of a `TransactionResults`. */
export function transactionText(
  incarnation: string,
  { succeeded, outcomes }: { readonly succeeded: boolean; readonly outcomes: readonly OperationOutcome[] },
): string {
  const results = outcomes.map((outcome) => resultJson(incarnation, outcome));
  return `{"succeeded":${succeeded},"results":${keptTexts(results)}}`;
}

/** The result of an increment. */
export function incrementedJson(
  incarnation: string,
  { value, created, revision }: OperationOutcome & { readonly op: "increment" },
): Incremented {
  return { value: integerJson(value), created, revision, etag: etag(incarnation, revision) };
}

function resultJson(incarnation: string, outcome: OperationOutcome): ResultJson {
  const { op, key } = outcome;
  switch (op) {
    case "get":
    case "getAndDelete": {
      const { entry } = outcome;
      if (entry === undefined) return { op, found: false, key };
      return {
        op,
        found: true,
        ...entryJson(incarnation, key, entry, entry.large === null ? entry.value : undefined),
      };
    }
    case "put": {
      const { created, revision } = outcome;
      return { op, key, created, revision, etag: etag(incarnation, revision) };
    }
    case "delete":
      return { op, key, deleted: outcome.deleted };
    case "increment":
      return { op, key, ...incrementedJson(incarnation, outcome) };
  }
}

function failedJson({ op, key }: Operation, { error }: Refused): FailedJson {
  return { op, key, error };
}

function integerJson(value: bigint): IntegerJson {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}
