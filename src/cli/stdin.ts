/** Opens stdin. */

import { fstatSync } from "node:fs";
import type { Command } from "commander";
import { usage } from "./exit.ts";
import { processOf, type CommandProcess } from "./process.ts";

/** @throws {ExitError} if stdin is a folder: Node would read nothing from it and report no error */
export function openStdin(command: Command): CommandProcess["stdin"] {
  const { stdin } = processOf(command);
  if (stdin.fd !== undefined && fstatSync(stdin.fd).isDirectory()) throw usage("stdin is a folder.");
  return stdin;
}
