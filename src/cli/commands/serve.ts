/** `durable-kv serve`: the server, from the package. */

import type { Command } from "commander";
import { withExamples } from "../help.ts";
import { processOf } from "../process.ts";

/** The server's own options, which it reads and checks itself: `serve --help` lists them. */
const SERVER_OPTIONS = /^--(?:port|tcp-port|no-tcp|host|data|memory)(?:=|$)/;

export function addServe(kv: Command): void {
  const command = kv
    .command("serve")
    .description("start the server on this machine (serve --help lists its options)")
    .helpOption(false)
    .allowUnknownOption()
    .argument("[options...]")
    .action(async (args: readonly string[]) => {
      const { env } = processOf(command);
      // Loaded only here: no other command needs it.
      const [{ serveCommand }, { prebuilt }, { runProgram }] = await Promise.all([
        import("../../serve/command.ts"),
        import("../../serve/prebuilt.ts"),
        import("../../serve/run-program.ts"),
      ]);
      await runProgram(() =>
        serveCommand({
          name: "durable-kv serve",
          args,
          env,
          worker: prebuilt,
          // npx dies of a signal without passing it on to us, so its end is ours.
          parent: env["npm_command"] === "exec" ? process.ppid : undefined,
        }),
      );
    });
  withExamples(command, { "durable-kv serve --data .data --port 8787": "" });
}

/**
 * The words of a command line on which the server is the default command: nothing, or nothing but the server's options.
 *
 *     withServe([]);                    // ["serve"]
 *     withServe(["--port", "8080"]);    // ["serve", "--port", "8080"]
 *     withServe(["get", "b", "k"]);     // as it is
 */
export function withServe(words: readonly string[]): readonly string[] {
  const [first] = words;
  return first === undefined || SERVER_OPTIONS.test(first) ? ["serve", ...words] : words;
}
