/** Rows of the registry's table, for tests. */

import type { Registration } from "../../src/model/registration.ts";

/** A name whose create has begun, and what is different about it. */
export function nameRow(different: Partial<Registration> = {}): Registration {
  return {
    name: "milk",
    incarnation: "aaaa",
    id: "0".repeat(64),
    state: "starting",
    restart: "permanent",
    restarts: 0,
    reason: null,
    createdAt: 0,
    metadata: null,
    jurisdiction: null,
    locationHint: null,
    probe: null,
    attempts: 0,
    ...different,
  };
}
