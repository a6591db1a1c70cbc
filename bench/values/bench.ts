/** What is measured here: something that a server is asked to do, and figures that come of it. */

import type { Server } from "../servers.ts";

/** By their names, which say in what they are counted. */
export type Figures = Readonly<Record<string, number>>;

export interface Bench {
  readonly name: string;
  /** Whether the bare one can do the same. */
  readonly bare: boolean;
  /** Brings a new server to where it can be measured. */
  readonly prepare: (server: Server) => Promise<Prepared>;
}

export interface Prepared {
  /** One round. */
  readonly measure: () => Promise<Figures>;
  /** Figures that are those of all rounds together. */
  readonly overall?: () => Figures;
}

/** The bucket that everything is in; the bare one is itself a bucket. */
export const BUCKET = "/v1/buckets/bench";

export async function makeBucket({ name, http }: Server): Promise<void> {
  if (name === "ours") await fetch(`http://127.0.0.1:${http}${BUCKET}`, { method: "PUT" });
}
