/** Events of the registry's log. */

import type { Incarnation } from "./incarnation.ts";

/**
 * - `created`: lookups return the bucket.
 * - `RESTARTED`: the bucket ended and was restarted with its data.
 * - `unreachable`, `reachable`: probes of the bucket fail, or succeed again. The bucket keeps its name.
 * - `DOWN`: the bucket has ended, its data is gone, and its name is free.
 */
export type EventKind = "created" | "RESTARTED" | "unreachable" | "reachable" | "DOWN";

/** One event of one bucket. */
export interface RegistryEvent extends Incarnation {
  /** The event's number: increasing, and counted by each partition separately. */
  readonly seq: number;
  readonly kind: EventKind;
  /** Null for `created` and `reachable`. */
  readonly reason: string | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
}
