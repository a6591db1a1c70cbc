/** The process that a command line runs in: Node's own, or one that stands for it. */

import type { EventEmitter } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { Command } from "commander";

/** What commands use of `process`. */
export interface CommandProcess extends Pick<EventEmitter, "once" | "off"> {
  readonly stdin: Readable & { readonly fd?: number; readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  exitCode?: number | string | null | undefined;
}

const processes = new WeakMap<Command, CommandProcess>();

/** Says in which process a program, with all of its commands, runs. */
export function runIn(kv: Command, process: CommandProcess): void {
  processes.set(kv, process);
}

export function processOf(command: Command): CommandProcess {
  const process = processes.get(command);
  if (process !== undefined) return process;
  if (command.parent === null) throw new Error("A program runs in a process: runIn() comes first.");
  return processOf(command.parent);
}

/** A variable of the environment. One that is set to nothing is not set. */
export function variable(command: Command, name: string): string | undefined {
  const text = processOf(command).env[name];
  return text === "" ? undefined : text;
}
