/** What --help says behind the options. */

import type { Command } from "commander";

/** Adds examples: what to type, each with what it does. */
export function withExamples(command: Command, examples: Readonly<Record<string, string>>): Command {
  const lines = Object.entries(examples).flatMap(([line, meaning]) => [
    ...(meaning === "" ? [] : [`  # ${meaning}`]),
    `  $ ${line}`,
  ]);
  return command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}
