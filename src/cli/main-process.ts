/** Runs a command line in Node's own process. */

import { writeSync } from "node:fs";
import { EXIT, exitCodeOf, errorMessage } from "./exit.ts";
import { run } from "./run.ts";

/** @param name how the user called it, for its help */
export async function runMain(name: string, words: readonly string[]): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // The reader has closed the pipe, as in `kv keys b | head -1`: not a failure.
      if (error.code === "EPIPE") process.exit(EXIT.done);
      // For example `kv export > file` on a full disk.
      if (stream === process.stdout) writeSync(process.stderr.fd, `${errorMessage(error)}\n`);
      process.exit(exitCodeOf(error));
    });
  }
  await run(words, process, name);
}
