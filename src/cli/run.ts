/** Runs one command line. */

import { exitCodeOf, errorMessage } from "./exit.ts";
import { endOutput, writeMessage } from "./output.ts";
import type { CommandProcess } from "./process.ts";
import { program } from "./program.ts";
import { checkUtf8, commandLineBytes } from "./utf8-arguments.ts";

/**
 * Runs a command, prints its error, and sets the process's exit code.
 * @param name how the user called it, for its help
 */
export async function run(words: readonly string[], process: CommandProcess, name = "kv"): Promise<void> {
  try {
    checkUtf8(words, commandLineBytes);
    await program(process, name).parseAsync(words, { from: "user" });
    endOutput(process);
  } catch (error) {
    const message = errorMessage(error);
    if (message !== undefined) writeMessage(process, message);
    // Not exit(): output may still be buffered.
    process.exitCode = exitCodeOf(error);
  }
}
