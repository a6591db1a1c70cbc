/** Ends long-running commands on Ctrl-C and other signals, with time to clean up. */

import type { Command } from "commander";
import { ExitError, EXIT } from "./exit.ts";
import { processOf } from "./process.ts";

/** Signals that end a command, with their exit codes: 128 plus the signal's number, as in shells. */
const SIGNALS = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated, SIGHUP: EXIT.hungUp } as const;

/**
 * Runs `work`, and aborts it when a signal arrives.
 * @throws {ExitError} 130, 143 or 129 after a signal
 */
export async function untilInterrupted(
  command: Command,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const process = processOf(command);
  const interrupted = new AbortController();
  const handlers = Object.entries(SIGNALS).map(
    ([name, code]) => [name, () => interrupted.abort(new ExitError(code))] as const,
  );
  // once(): a second Ctrl-C ends the process at once, without cleaning up.
  for (const [name, handle] of handlers) process.once(name, handle);
  try {
    await work(interrupted.signal);
  } catch (error) {
    throw interrupted.signal.aborted ? (interrupted.signal.reason as ExitError) : error;
  } finally {
    for (const [name, handle] of handlers) process.off(name, handle);
  }
}
