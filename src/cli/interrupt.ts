/** Ctrl-C, and other signals to end, for commands that go on until then or have something to tidy up. */

import type { Command } from "commander";
import { Ended, EXIT } from "./exit.ts";
import { processOf } from "./process.ts";

/** What ends a command, and the exit code that says so: 128 and the signal's number, as shells have it. */
const SIGNALS = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated, SIGHUP: EXIT.hungUp } as const;

/**
 * Runs something until it ends, or a signal does.
 * @throws {Ended} 130, 143 or 129, in the second case
 */
export async function untilInterrupted(
  command: Command,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const process = processOf(command);
  const interrupted = new AbortController();
  const handlers = Object.entries(SIGNALS).map(
    ([name, code]) => [name, () => interrupted.abort(new Ended(code))] as const,
  );
  // Once: whoever presses it again does not want to wait.
  for (const [name, handle] of handlers) process.once(name, handle);
  try {
    await work(interrupted.signal);
  } catch (error) {
    throw interrupted.signal.aborted ? (interrupted.signal.reason as Ended) : error;
  } finally {
    for (const [name, handle] of handlers) process.off(name, handle);
  }
}
