/**
 * Checks the most frequent requests by hand: batches of plain operations. The schema takes several times as long.
 *
 * A request that is accepted here is accepted by the schema, which gives it back unchanged (test/schema/plain.test.ts
 * proves it). One that is not accepted here may still be valid, so the schema has the last word, and writes the errors.
 */

import { MAX_OPERATIONS } from "../model/limits.ts";
import { check } from "./check.ts";
import { BatchJson, type OperationJson } from "./operations.ts";

/** The members of JSON are known by nothing but their names. */
type Members = Readonly<Record<string, unknown>>;

/**
 * The operations of a batch that was parsed from JSON.
 * @throws {KvError} `body_invalid`
 */
export function checkBatch(given: unknown): readonly OperationJson[] {
  return isPlainBatch(given) ? given : check(BatchJson, given, "body_invalid");
}

/** Whether a value that was parsed from JSON is a batch of operations of the most frequent forms. */
export function isPlainBatch(given: unknown): given is readonly OperationJson[] {
  if (!Array.isArray(given) || given.length > MAX_OPERATIONS) return false;
  for (const operation of given) if (!isPlain(operation)) return false;
  return true;
}

function isPlain(operation: unknown): boolean {
  if (typeof operation !== "object" || operation === null) return false;
  const { op, key } = operation as Members;
  if (typeof key !== "string") return false;
  if (op !== "get" && op !== "put" && op !== "delete" && op !== "getAndDelete") return false;
  for (const name in operation) {
    switch (name) {
      case "op":
      case "key":
        break;
      case "ifMatch":
      case "ifNoneMatch":
        if (typeof (operation as Members)[name] !== "string") return false;
        break;
      case "value":
      case "base64":
      case "type":
        if (op !== "put" || typeof (operation as Members)[name] !== "string") return false;
        break;
      case "json":
      case "metadata":
        if (op !== "put") return false;
        break;
      default:
        return false;
    }
  }
  return true;
}
