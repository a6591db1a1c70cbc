/** Runs one command line. */

import { exitCodeOf, errorMessage } from "./exit.ts";
import { endOutput, writeMessage } from "./output.ts";
import type { CommandProcess } from "./process.ts";
import { program } from "./program.ts";
import { checkUtf8, commandLineBytes } from "./utf8-arguments.ts";

/** Runs a command, prints its error, and sets the process's exit code. */
export async function run(words: readonly string[], process: CommandProcess): Promise<void> {
  try {
    checkUtf8(words, commandLineBytes);
    await program(process).parseAsync(words, { from: "user" });
    endOutput(process);
  } catch (error) {
    const message = errorMessage(error);
    if (message !== undefined) writeMessage(process, message);
    // Not exit(): output may still be buffered.
    process.exitCode = exitCodeOf(error);
  }
}
