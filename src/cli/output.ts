/** Writes to stdout and stderr. */

import { once } from "node:events";
import type { Command } from "commander";
import { printable } from "./printable.ts";
import { processOf, type CommandProcess } from "./process.ts";

/** Decoders for binary output to a terminal: a chunk may end inside a character. */
const decoders = new WeakMap<CommandProcess, TextDecoder>();

/**
 * Writes to stdout, and waits if the reader is slower. A file or pipe gets the exact bytes. For a terminal, control
 * characters are escaped, so that data can't control it.
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

/** Writes what an incomplete last character decodes to. */
export function endOutput(process: CommandProcess): void {
  const rest = decoders.get(process)?.decode();
  if (rest !== undefined && rest !== "") process.stdout.write(rest);
}

/** Writes a message for the user to stderr. */
export function writeMessage(process: CommandProcess, line: string): void {
  process.stderr.write(`${printable(line)}\n`);
}

export function writeLine(command: Command, line: string): Promise<void> {
  return write(command, `${line}\n`);
}

/** Writes one line of columns, separated by tabs. */
export function writeRow(command: Command, ...columns: readonly (string | undefined)[]): Promise<void> {
  return writeLine(command, columns.filter((column) => column !== undefined).join("\t"));
}

/** Writes one line of JSON. A bigint becomes a string of digits, as in the service's responses. */
export function writeJson(command: Command, value: unknown): Promise<void> {
  return writeLine(
    command,
    JSON.stringify(value, (_, member: unknown) => (typeof member === "bigint" ? member.toString() : member)),
  );
}
