#!/usr/bin/env node
/** `kv`. */

import { exitCodeOf, messageOf } from "./exit.ts";
import { program } from "./program.ts";

// `kv keys b | head -1`: who reads has enough, and that is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
}

try {
  await program().parseAsync(process.argv.slice(2), { from: "user" });
} catch (error) {
  const message = messageOf(error);
  if (message !== undefined) process.stderr.write(`${message}\n`);
  // Not exit(): what has been written may not have gone out yet.
  process.exitCode = exitCodeOf(error);
}
