/** The ways in which a bucket ends, or restarts. */

import { call } from "../../../src/otp/call.ts";
import { Exit } from "../../../src/otp/exit.ts";
import { exitBucket } from "../directories.ts";
import { bucketOf, rowOf } from "../faults.ts";
import { directoryOf, type Real } from "./model.ts";

/** Ends the bucket, or restarts it, and says what a DOWN would give as its reason. */
export interface Ending {
  readonly reason: string;
  readonly send: (real: Real, name: string, caller: number) => Promise<unknown>;
}

export const endings: Readonly<Record<string, Ending>> = {
  shutdown: {
    reason: "shutdown",
    send: (real, name, caller) => exitBucket(directoryOf(real, caller), name, "shutdown"),
  },
  kill: {
    reason: "killed",
    send: (real, name, caller) => exitBucket(directoryOf(real, caller), name, "kill"),
  },
  crash: {
    reason: "crash: out of cheese",
    send: async (_, name) => {
      const row = await rowOf(name);
      if (row === undefined) return;
      await call(() => bucketOf(row.id).crash("out of cheese")).catch((error: unknown) => {
        if (!(error instanceof Exit)) throw error;
        if (typeof error.reason !== "object" && error.reason !== "noproc") throw error;
      });
    },
  },
};
