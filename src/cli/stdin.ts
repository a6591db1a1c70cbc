/** What comes from stdin. */

import { fstatSync } from "node:fs";
import { usage } from "./exit.ts";

/** @throws {Ended} if it is a folder: Node would read nothing from it, and say nothing */
export function openStdin(): typeof process.stdin {
  if (fstatSync(process.stdin.fd).isDirectory()) throw usage("stdin is a folder.");
  return process.stdin;
}
