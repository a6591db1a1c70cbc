#!/usr/bin/env node
/** The executable `kv`. */

import { writeSync } from "node:fs";
import { EXIT, exitCodeOf, errorMessage } from "./exit.ts";
import { run } from "./run.ts";

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // The reader has closed the pipe, as in `kv keys b | head -1`: not a failure.
    if (error.code === "EPIPE") process.exit(EXIT.done);
    // For example `kv export > file` on a full disk.
    if (stream === process.stdout) writeSync(process.stderr.fd, `${errorMessage(error)}\n`);
    process.exit(exitCodeOf(error));
  });
}

await run(process.argv.slice(2), process);
