/** The contract of a workload: what is done, in which cases, and by whom. */

import type { Peer } from "./stores/peer.ts";

export interface Workload {
  readonly name: string;
  /** What the rate counts, for example `puts/s`. */
  readonly unit: string;
  /** What varies, for example the number of connections. Each case is measured and charted by itself. */
  readonly cases: readonly string[];
  /** The first one is ours. Ratios are of its rate to that of each other one. */
  readonly contestants: readonly Contestant[];
}

export interface Contestant {
  readonly name: string;
  /** The program that has to be installed for it; undefined if it comes with this repository. */
  readonly peer?: Peer;
  /** Starts a server of its own, with new data. */
  readonly start: () => Promise<Running>;
}

export interface Running {
  /** By case. A case that is not here does not exist for this contestant. */
  readonly measures: Readonly<Record<string, Measure>>;
  stop(): Promise<void>;
}

/** Measures one round of about this many milliseconds. @throws if an answer is wrong */
export type Measure = (forMs: number) => Promise<Measured>;

export interface Measured {
  /** Units per second. */
  readonly rate: number;
  /** Latency of an exchange, in milliseconds, where exchanges are timed. */
  readonly p50?: number;
  readonly p99?: number;
}

/** The numbers of connections, or of callers, for which most workloads are measured. */
export const LEVELS = [1, 32, 256] as const;

/** For example `32 connections`. */
export function levelCase(level: number, what: "connection" | "caller"): string {
  return level === 1 ? `1 ${what}` : `${level} ${what}s`;
}
