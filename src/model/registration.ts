/** What the registry knows of a name. */

import type { RestartKind } from "../otp/restart.ts";
import type { Incarnation } from "./incarnation.ts";
import type { Totals } from "./totals.ts";

/**
 * The states of a name, as in docs/design.md. `starting`: the bucket's object may not have been told yet.
 * `stopping`: it may not have been wiped yet. Between them the bucket lives: `running`, or `suspect` when a
 * probe has failed, or `unreachable` when several have.
 */
export type State = "starting" | "running" | "suspect" | "unreachable" | "stopping";

/** What a bucket said of itself when it was last probed. */
export interface Probe extends Totals {
  /** When, in milliseconds since the epoch. */
  readonly at: number;
}

/** Stands for an option of a bucket that was created by a version which did not keep it: it may have been anything. */
export const UNKNOWN = "?";

/** What a name stands for. */
export interface Registration extends Incarnation {
  /** The id of the bucket's object, 64 hexadecimal digits. */
  readonly id: string;
  readonly state: State;
  readonly restart: RestartKind;
  /** How often the bucket was restarted. */
  readonly restarts: number;
  /** Why it was last restarted, or is suspect or unreachable. */
  readonly reason: string | null;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** JSON, as it was given. */
  readonly metadata: string | null;
  /** The jurisdiction and location hint that were given; {@link UNKNOWN} if they were not kept. */
  readonly jurisdiction: string | null;
  readonly locationHint: string | null;
  /** Null if the bucket has not been probed yet. */
  readonly probe: Probe | null;
  /** Failures in a row of what has to be done about it. */
  readonly attempts: number;
}

/** Whether a name leads to a bucket. */
export function isLiving({ state }: Pick<Registration, "state">): boolean {
  return state !== "starting" && state !== "stopping";
}

export interface CreateOptions {
  /** What an exit or a crash does to the bucket, if it is new; `permanent` if left out. */
  readonly restart?: RestartKind | undefined;
  /** JSON, kept beside the name. */
  readonly metadata?: string | undefined;
  /** Where the bucket's object should live, if it is new. */
  readonly locationHint?: DurableObjectLocationHint | undefined;
  /** What the bucket's object must not leave, if it is new. */
  readonly jurisdiction?: DurableObjectJurisdiction | undefined;
}

/** Names in order, a page of them. */
export interface NamesQuery {
  readonly prefix: string;
  /** Only names behind this one. */
  readonly after: string;
  readonly limit: number;
}
