/** A command line, from its words to its exit code. */

import { exitCodeOf, messageOf } from "./exit.ts";
import { endOutput, say } from "./output.ts";
import type { CommandProcess } from "./process.ts";
import { program } from "./program.ts";
import { checkWords, commandLineBytes } from "./words.ts";

/** Runs it, says what went wrong, and leaves the exit code in the process, which may end once all is written. */
export async function run(words: readonly string[], process: CommandProcess): Promise<void> {
  try {
    checkWords(words, commandLineBytes);
    await program(process).parseAsync(words, { from: "user" });
    endOutput(process);
  } catch (error) {
    const message = messageOf(error);
    if (message !== undefined) say(process, message);
    // Not exit(): what has been written may not have gone out yet.
    process.exitCode = exitCodeOf(error);
  }
}
