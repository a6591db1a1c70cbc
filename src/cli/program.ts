/** The command line's definition: all commands and the global options. */

import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { parsePositive } from "./arguments.ts";
import { addBuckets, addCreate, addLookup, addStop } from "./commands/buckets.ts";
import { addCluster } from "./commands/cluster.ts";
import { addCompletion } from "./commands/completion.ts";
import { addExit } from "./commands/exit.ts";
import { addExport } from "./commands/export.ts";
import { addImport } from "./commands/import.ts";
import { addIncr } from "./commands/incr.ts";
import { addKeys } from "./commands/keys.ts";
import { addMonitor } from "./commands/monitor.ts";
import { addRepl } from "./commands/repl.ts";
import { addServe } from "./commands/serve.ts";
import { addDelete, addGet, addPut } from "./commands/values.ts";
import { addWatch } from "./commands/watch.ts";
import { EXIT_CODES } from "./exit.ts";
import { withExamples } from "./help.ts";
import { printable } from "./printable.ts";
import { runIn, type CommandProcess } from "./process.ts";
import { DEFAULT_URL } from "./service.ts";

const COMMANDS = [
  addServe,
  addCluster,
  addCreate,
  addPut,
  addGet,
  addDelete,
  addIncr,
  addKeys,
  addBuckets,
  addLookup,
  addStop,
  addExit,
  addWatch,
  addMonitor,
  addExport,
  addImport,
  addRepl,
  addCompletion,
];

/**
 * Creates the program. A new one for each run, because commander keeps parsed options in it.
 * @param name how the user called it, for its help
 */
export function program(process: CommandProcess, name = "kv"): Command {
  const kv = new Command(name)
    .description("Durable KV on the command line.")
    .version(version(), "-V, --version", "show the version")
    .helpOption("-h, --help", "show this help")
    .option("--url <url>", `address of the service (default: ${DEFAULT_URL}, env: KV_URL)`)
    .option(
      "--token <token>",
      "token for the service; the environment variable hides it from other users (env: KV_TOKEN)",
    )
    .addOption(
      new Option(
        "--timeout <seconds>",
        "deadline of a call; for an export or import, the longest time without progress",
      )
        .argParser(parsePositive)
        .default(30),
    )
    .option("--json", "print JSON, one object per line")
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError(`(see ${name} --help, or --help after a command)`)
    .configureOutput({
      writeOut: (text) => void process.stdout.write(text),
      writeErr: (text) => void process.stderr.write(printable(text)),
    })
    .exitOverride();
  runIn(kv, process);
  withExamples(kv, {
    "kv create shopping": "",
    "kv put shopping milk 1": "",
    "kv get shopping milk": "",
    "kv watch shopping --json": "",
    "kv repl": "use the text protocol, with history and completion",
  }).addHelpText("after", `\n${EXIT_CODES}`);
  for (const add of COMMANDS) add(kv);
  return kv;
}

function version(): string {
  // The same relative path from src/cli and from dist/cli.
  const url = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(url, "utf8")) as { readonly version: string }).version;
}
