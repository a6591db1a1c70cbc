#!/usr/bin/env node
/** `kv`. */

import { writeSync } from "node:fs";
import { EXIT, exitCodeOf, messageOf } from "./exit.ts";
import { program } from "./program.ts";

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // `kv keys b | head -1`: who reads has enough, and that is no failure.
    if (error.code === "EPIPE") process.exit(EXIT.done);
    // `kv export > file` on a disk that is full.
    if (stream === process.stdout) writeSync(process.stderr.fd, `${messageOf(error)}\n`);
    process.exit(exitCodeOf(error));
  });
}

// What is set to nothing is not set.
for (const [name, value] of Object.entries(process.env)) {
  if (name.startsWith("KV_") && value === "") delete process.env[name];
}

try {
  await program().parseAsync(process.argv.slice(2), { from: "user" });
} catch (error) {
  const message = messageOf(error);
  if (message !== undefined) process.stderr.write(`${message}\n`);
  // Not exit(): what has been written may not have gone out yet.
  process.exitCode = exitCodeOf(error);
}
