/** The examples at the end of a command's --help. */

import type { Command } from "commander";

/** @param examples command lines, each with a comment or "" */
export function withExamples(command: Command, examples: Readonly<Record<string, string>>): Command {
  const lines = Object.entries(examples).flatMap(([line, meaning]) => [
    ...(meaning === "" ? [] : [`  # ${meaning}`]),
    `  $ ${line}`,
  ]);
  return command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}
