/** Get-and-delete for other Workers: a value that can't be returned as they want it is not deleted. */

import { isTooLarge, type BucketHandle } from "../directory/bucket-handle.ts";
import type { FoundRead, Read } from "../directory/stored-value.ts";
import type { Conditions } from "../model/conditions.ts";
import { checkType, wanted, type ValueType } from "./values.ts";

/**
 * @returns null if the key does not exist
 * @throws {KvError} `precondition_failed`, `value_invalid`, `result_too_large`: then the value is still there
 */
export async function getAndDelete(
  bucket: BucketHandle,
  key: string,
  type: ValueType,
  conditions: Conditions,
): Promise<unknown> {
  checkType(type);
  const read = ({ value }: FoundRead): Promise<unknown> => wanted(value, type);
  const readThenDelete = async (): Promise<unknown> =>
    (await bucket.useAndDelete(key, conditions, read)) ?? null;
  // It may turn out not to be JSON.
  if (type === "json") return readThenDelete();
  let found: Read;
  try {
    found = await bucket.getAndDelete(key, conditions, type === "stream" ? {} : { large: "refuse" });
  } catch (error) {
    // In memory a large value may turn out too large for a message.
    if (isTooLarge(error)) return readThenDelete();
    throw error;
  }
  return found.outcome === "found" ? read(found) : null;
}
