/** What happens to names, as the registry's log has it. */

import type { Incarnation } from "./incarnation.ts";

/**
 * - `created`: the bucket can be looked up.
 * - `RESTARTED`: it ended, and lives on with its data.
 * - `unreachable`, `reachable`: probes of it fail, or succeed again. Its name is kept.
 * - `DOWN`: it has ended, its data is gone, and its name is free.
 */
export type EventKind = "created" | "RESTARTED" | "unreachable" | "reachable" | "DOWN";

export interface RegistryEvent extends Incarnation {
  /** Increasing; a partition's own. */
  readonly seq: number;
  readonly kind: EventKind;
  /** Null for `created` and `reachable`. */
  readonly reason: string | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
}
