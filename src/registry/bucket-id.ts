/** Ids of new buckets' objects. */

import { KvError } from "../model/errors.ts";
import { messageOf } from "../otp/exit.ts";

/**
 * A new object id. Each incarnation gets its own id, so a stale handle can never reach a later bucket of the name.
 * @returns 64 hexadecimal digits
 * @throws {KvError} `jurisdiction_unavailable` if the platform refuses the jurisdiction
 */
export function newBucketId(
  namespace: DurableObjectNamespace,
  jurisdiction: DurableObjectJurisdiction | undefined,
): string {
  try {
    const within = jurisdiction === undefined ? namespace : namespace.jurisdiction(jurisdiction);
    return within.newUniqueId().toString();
  } catch (error) {
    throw new KvError(
      "jurisdiction_unavailable",
      `Jurisdiction "${jurisdiction}" is not available here: ${messageOf(error)}`,
    );
  }
}

/** Why an object in this jurisdiction can't be made here; undefined if it can. */
export function unavailability(
  namespace: DurableObjectNamespace,
  jurisdiction: DurableObjectJurisdiction,
): KvError | undefined {
  try {
    newBucketId(namespace, jurisdiction);
    return undefined;
  } catch (error) {
    return error as KvError;
  }
}
