#!/usr/bin/env node
/** `kv`. */

import { writeSync } from "node:fs";
import { EXIT, exitCodeOf, messageOf } from "./exit.ts";
import { run } from "./run.ts";

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // `kv keys b | head -1`: who reads has enough, and that is no failure.
    if (error.code === "EPIPE") process.exit(EXIT.done);
    // `kv export > file` on a disk that is full.
    if (stream === process.stdout) writeSync(process.stderr.fd, `${messageOf(error)}\n`);
    process.exit(exitCodeOf(error));
  });
}

await run(process.argv.slice(2), process);
