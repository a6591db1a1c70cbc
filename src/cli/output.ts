/** What goes to stdout. */

import { once } from "node:events";
import type { Command } from "commander";
import { printable } from "./printable.ts";
import { processOf, type CommandProcess } from "./process.ts";

/** For what a terminal is shown in pieces, which may end within a character. */
const decoders = new WeakMap<CommandProcess, TextDecoder>();

/**
 * Writes, and waits where the reader is slower. A file or a program gets it byte for byte; a terminal never gets what it
 * would act upon.
 */
export async function write(command: Command, data: string | Uint8Array): Promise<void> {
  const process = processOf(command);
  const { stdout } = process;
  const shown = stdout.isTTY ? printable(textOf(process, data)) : data;
  if (!stdout.write(shown)) await once(stdout, "drain");
}

function textOf(process: CommandProcess, data: string | Uint8Array): string {
  if (typeof data === "string") return (decoders.get(process)?.decode() ?? "") + data;
  let decoder = decoders.get(process);
  if (decoder === undefined) decoders.set(process, (decoder = new TextDecoder("utf-8", { ignoreBOM: true })));
  return decoder.decode(data, { stream: true });
}

/** What was cut off within a character is shown as that. */
export function endOutput(process: CommandProcess): void {
  const rest = decoders.get(process)?.decode();
  if (rest !== undefined && rest !== "") process.stdout.write(rest);
}

/** A line for people, on stderr. */
export function say(process: CommandProcess, line: string): void {
  process.stderr.write(`${printable(line)}\n`);
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
