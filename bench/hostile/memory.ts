/** Samples a server's memory, and kills the server before it uses up the machine's memory. */

import { KILL_AT_MEGABYTES } from "./limits.ts";
import { megabytes, type Tree } from "./processes.ts";

const EVERY_MS = 50;

export interface Memory {
  /** Peak memory of the engine in megabytes. */
  readonly engine: number;
  /** Peak memory of the whole process tree in megabytes. */
  readonly tree: number;
  /** Memory of the engine at the last sample, in megabytes. */
  readonly last: number;
  /** Whether the engine exceeded the harness's limit and was killed. */
  readonly killed: boolean;
}

/** Starts sampling. @returns a function that stops it and returns the results */
export function sampleMemory({ engine, all }: Tree): () => Memory {
  const seen = { engine: 0, tree: 0, last: 0, killed: false };
  const sample = (): void => {
    seen.last = megabytes(engine, "VmRSS");
    // The kernel's own peak: memory can rise and fall between two samples.
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
