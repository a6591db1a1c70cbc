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
