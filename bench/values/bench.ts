/** The interface of a bench: an operation of a server, and the measured figures. */

import type { Server } from "../servers.ts";

/** Figures by name. The name includes the unit. */
export type Figures = Readonly<Record<string, number>>;

export interface Bench {
  readonly name: string;
  /** Whether the minimal Worker supports it. */
  readonly bare: boolean;
  /** Prepares a new server for the measurement. */
  readonly prepare: (server: Server) => Promise<Prepared>;
}

export interface Prepared {
  /** Measures one round of this many milliseconds. What has a size, and not a duration, ignores them. */
  readonly measure: (forMs: number) => Promise<Figures>;
  /** Figures over all rounds. */
  readonly overall?: () => Figures;
}

/** The bucket of all benches. The minimal Worker has only one bucket, without a name. */
export const BUCKET = "/v1/buckets/bench";

export async function makeBucket({ name, http }: Server): Promise<void> {
  if (name === "ours") await fetch(`http://127.0.0.1:${http}${BUCKET}`, { method: "PUT" });
}
