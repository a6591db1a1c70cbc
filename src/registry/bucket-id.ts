/** The id of a new bucket's object. */

import { KvError } from "../model/errors.ts";
import { messageOf } from "../otp/exit.ts";

/**
 * A new id, for each incarnation another one: a stale handle can never reach a successor.
 * @throws {KvError} `jurisdiction_unavailable`
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
      `Jurisdiction "${jurisdiction}" can't be had here: ${messageOf(error)}`,
    );
  }
}
