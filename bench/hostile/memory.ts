/** Samples a server's memory, and kills the server before it takes the machine's. */

import { KILL_AT_MEGABYTES } from "./limits.ts";
import { megabytes, type Tree } from "./processes.ts";

const EVERY_MS = 50;

export interface Memory {
  /** Megabytes of the engine, at most. */
  readonly engine: number;
  /** Megabytes of the whole process tree, at most. */
  readonly tree: number;
  /** Megabytes of the engine at the last sample. */
  readonly last: number;
  /** The engine passed the harness's limit and was killed. */
  readonly killed: boolean;
}

/** Samples from now on. @returns a function that stops it and says what was seen */
export function sampleMemory({ engine, all }: Tree): () => Memory {
  const seen = { engine: 0, tree: 0, last: 0, killed: false };
  const sample = (): void => {
    seen.last = megabytes(engine, "VmRSS");
    // The kernel's own peak, because memory can come and go between two samples.
    seen.engine = Math.max(seen.engine, megabytes(engine, "VmHWM"));
    const others = all.filter((pid) => pid !== engine).map((pid) => megabytes(pid, "VmRSS"));
    seen.tree = Math.max(
      seen.tree,
      others.reduce((sum, one) => sum + one, seen.last),
    );
    if (seen.last < KILL_AT_MEGABYTES || seen.killed) return;
    seen.killed = true;
    process.kill(engine, "SIGKILL");
  };
  const timer = setInterval(sample, EVERY_MS);
  return () => {
    sample();
    clearInterval(timer);
    return { ...seen, tree: Math.max(seen.tree, seen.engine) };
  };
}
