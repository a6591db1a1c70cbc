/** The process of a command line: Node's own, or a substitute in tests. */

import type { EventEmitter } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { Command } from "commander";

/** The part of `process` that commands use. */
export interface CommandProcess extends Pick<EventEmitter, "once" | "off"> {
  readonly stdin: Readable & { readonly fd?: number; readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  exitCode?: number | string | null | undefined;
}

const processes = new WeakMap<Command, CommandProcess>();

/** Assigns a process to a program and all its commands. */
export function runIn(kv: Command, process: CommandProcess): void {
  processes.set(kv, process);
}

export function processOf(command: Command): CommandProcess {
  const process = processes.get(command);
  if (process !== undefined) return process;
  if (command.parent === null) throw new Error("The program has no process: call runIn() first.");
  return processOf(command.parent);
}

/** An environment variable. An empty one counts as unset. */
export function variable(command: Command, name: string): string | undefined {
  const text = processOf(command).env[name];
  return text === "" ? undefined : text;
}
