/** What goes to stdout. */

import { once } from "node:events";
import type { Command } from "commander";
import { processOf } from "./process.ts";

/** Writes, and waits where the reader is slower. */
export async function write(command: Command, data: string | Uint8Array): Promise<void> {
  const { stdout } = processOf(command);
  if (!stdout.write(data)) await once(stdout, "drain");
}

export function writeLine(command: Command, line: string): Promise<void> {
  return write(command, `${line}\n`);
}

/** A line of columns, for people and for `cut`. */
export function writeRow(command: Command, ...columns: readonly (string | undefined)[]): Promise<void> {
  return writeLine(command, columns.filter((column) => column !== undefined).join("\t"));
}

/** A line of JSON. An integer beyond 2^53 is a string, as it is in the service's answers. */
export function writeJson(command: Command, value: unknown): Promise<void> {
  return writeLine(
    command,
    JSON.stringify(value, (_, member: unknown) => (typeof member === "bigint" ? member.toString() : member)),
  );
}
