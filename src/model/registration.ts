/** Registrations: a name's row in the registry, and the options that created it. */

import type { RestartKind } from "../otp/restart.ts";
import type { Incarnation } from "./incarnation.ts";
import type { Totals } from "./totals.ts";

/**
 * The states of a name, as in docs/design.md. `starting`: a create was given up, and the bucket's object may live or start yet.
 * `stopping`: the object may not have wiped its data yet. In the states between these two the bucket lives: `running`,
 * `suspect` after a failed probe, `unreachable` after several failed probes in a row.
 */
export type State = "starting" | "running" | "suspect" | "unreachable" | "stopping";

/** A bucket's reply to its last successful probe. */
export interface Probe extends Totals {
  /** When, in milliseconds since the epoch. */
  readonly at: number;
}

/** The value of an option that the version which created the bucket did not store. The real value is unknown. */
export const UNKNOWN = "?";

/** A name with its bucket. */
export interface Registration extends Incarnation {
  /** The id of the bucket's object, 64 hexadecimal digits. */
  readonly id: string;
  readonly state: State;
  readonly restart: RestartKind;
  /** How many times the bucket was restarted. */
  readonly restarts: number;
  /** The reason of the last restart, or why the bucket is suspect or unreachable. */
  readonly reason: string | null;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** JSON text, as the create sent it. */
  readonly metadata: string | null;
  /** The jurisdiction and location hint of the create; null: not given; {@link UNKNOWN}: not stored. */
  readonly jurisdiction: string | null;
  readonly locationHint: string | null;
  /** Null before the first probe. */
  readonly probe: Probe | null;
  /** Failed attempts in a row of the pending work: a probe, a start or a stop. */
  readonly attempts: number;
}

/** Whether a lookup returns the bucket in this state. */
export function isLiving({ state }: Pick<Registration, "state">): boolean {
  return state !== "starting" && state !== "stopping";
}

/** The options of a create. Without an option, a create accepts an existing bucket with any value for it. */
export interface CreateOptions {
  /** What an exit or a crash does to a new bucket; `permanent` if left out. */
  readonly restart?: RestartKind | undefined;
  /** JSON text, stored with the name. */
  readonly metadata?: string | undefined;
  /** Where the platform should place the object of a new bucket. */
  readonly locationHint?: DurableObjectLocationHint | undefined;
  /** The jurisdiction that the object of a new bucket must not leave. */
  readonly jurisdiction?: DurableObjectJurisdiction | undefined;
  /** Where the caller is. It places a new bucket that has neither of the two above, and no other create is compared with it. */
  readonly near?: DurableObjectLocationHint | undefined;
}

/** A query for one page of names, in order. */
export interface NamesQuery {
  readonly prefix: string;
  /** Only names after this one. */
  readonly after: string;
  readonly limit: number;
}
