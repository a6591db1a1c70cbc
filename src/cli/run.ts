/** A command line, from its words to its exit code. */

import { exitCodeOf, messageOf } from "./exit.ts";
import type { CommandProcess } from "./process.ts";
import { program } from "./program.ts";

/** Runs it, says what went wrong, and leaves the exit code in the process, which may end once all is written. */
export async function run(words: readonly string[], process: CommandProcess): Promise<void> {
  try {
    await program(process).parseAsync(words, { from: "user" });
  } catch (error) {
    const message = messageOf(error);
    if (message !== undefined) process.stderr.write(`${message}\n`);
    // Not exit(): what has been written may not have gone out yet.
    process.exitCode = exitCodeOf(error);
  }
}
