/** What goes to stdout. */

import { once } from "node:events";

/** Writes, and waits where the reader is slower. */
export async function write(data: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(data)) await once(process.stdout, "drain");
}

export function writeLine(line: string): Promise<void> {
  return write(`${line}\n`);
}

/** A line of columns, for people and for `cut`. */
export function writeRow(...columns: readonly (string | undefined)[]): Promise<void> {
  return writeLine(columns.filter((column) => column !== undefined).join("\t"));
}

/** A line of JSON. An integer beyond 2^53 is a string, as it is in the service's answers. */
export function writeJson(value: unknown): Promise<void> {
  return writeLine(
    JSON.stringify(value, (_, member: unknown) => (typeof member === "bigint" ? member.toString() : member)),
  );
}
