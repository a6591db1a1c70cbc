/** Headers that would change what a request does, where nothing heeds them. */

import { KvError } from "../model/errors.ts";

const CONDITION = "It is for one key: …/keys/{key}. A batch and a transaction have conditions in their body.";
/** What they are for. */
const MEANT = [
  ["If-Match", CONDITION],
  ["If-None-Match", CONDITION],
  ["If-Unmodified-Since", "What it is about has an entity tag: send If-Match."],
  ["Idempotency-Key", "It is for increment and transaction."],
] as const;

/**
 * A condition that is not looked at is worse than one that is refused; so is a request that is done once more.
 * @throws {KvError} `header_invalid`
 */
export function refuseUnheeded(headers: Headers, heeded: readonly string[] = []): void {
  for (const [name, hint] of MEANT) {
    if (heeded.includes(name) || headers.get(name) === null) continue;
    throw new KvError("header_invalid", `${name} is not heeded here, and nothing was done. ${hint}`);
  }
}
