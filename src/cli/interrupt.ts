/** Ctrl-C, for commands that go on until then. */

import type { Command } from "commander";
import { Ended, EXIT } from "./exit.ts";
import { processOf } from "./process.ts";

/**
 * Runs something until it ends, or Ctrl-C does.
 * @throws {Ended} 130, in the second case
 */
export async function untilInterrupted(
  command: Command,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const process = processOf(command);
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  // Once: whoever presses it again does not want to wait.
  process.once("SIGINT", interrupt);
  try {
    await work(interrupted.signal);
  } catch (error) {
    throw interrupted.signal.aborted ? new Ended(EXIT.interrupted) : error;
  } finally {
    process.off("SIGINT", interrupt);
  }
}
