/** `kv completion`, and the hidden command that its scripts call. */

import { Argument, type Command } from "commander";
import { candidates } from "../completion/candidates.ts";
import { SCRIPTS, type Shell } from "../completion/scripts.ts";
import { withExamples } from "../help.ts";
import { write } from "../output.ts";

export function addCompletion(kv: Command): void {
  const command = kv
    .command("completion")
    .description("print a shell script that completes commands, options, bucket names and keys")
    .addArgument(new Argument("<shell>").choices(Object.keys(SCRIPTS)))
    .action((shell: Shell): Promise<void> => write(command, SCRIPTS[shell]));
  withExamples(command, {
    "source <(kv completion bash)": "in ~/.bashrc; for zsh, the same in ~/.zshrc",
    "kv completion fish > ~/.config/fish/completions/kv.fish": "",
  });
  const complete = kv.command("__complete [words...]", { hidden: true });
  complete.action(async (words: readonly string[]) => {
    // An error means no candidates: a shell shows no errors while it completes.
    const found = await candidates(kv, words).catch(() => []);
    await write(complete, found.map((candidate) => `${candidate}\n`).join(""));
  });
}
