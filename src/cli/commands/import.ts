/** `kv import`. */

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { Option, type Command } from "commander";
import type { BucketOptions, ImportResult } from "../../client/index.ts";
import { parseMebibytes } from "../arguments.ts";
import { usage, EXIT } from "../exit.ts";
import { readList } from "../export-folder.ts";
import { withExamples } from "../help.ts";
import { importFile, summaryOf, type ImportLimits } from "../import-file.ts";
import { untilInterrupted } from "../interrupt.ts";
import { writeMessage, writeJson, writeLine } from "../output.ts";
import { processOf } from "../process.ts";
import { addCreateOption, createOf, globals, serviceOf } from "../service.ts";
import { addWorkersKvOptions, importFromWorkersKv, type WorkersKvOptions } from "./import-workers-kv.ts";

/**
 * Default limit without progress, in milliseconds. It is long because a proxy may buffer the whole upload before it
 * passes it on.
 */
const DEFAULT_IDLE_TIMEOUT_MS = 3_600_000;

interface ImportOptions extends WorkersKvOptions {
  readonly all?: string;
  readonly onError?: "stop" | "continue";
  readonly partSize?: number;
}

export function addImport(kv: Command): void {
  const command = kv
    .command("import [bucket] [file]")
    .description(
      "import an export from a file or stdin, or a namespace of Workers KV; repeating it changes nothing",
    )
    .option("--all <folder>", "import all buckets of a folder that export --all has written")
    .addOption(
      new Option(
        "--on-error <what>",
        "what to do at an invalid line (default: stop; continue with --from-workers-kv)",
      ).choices(["stop", "continue"]),
    )
    .option(
      "--part-size <MiB>",
      "most MiB of one request; more is sent in several (default: 32; a proxy may have a lower limit)",
      parseMebibytes,
    );
  addCreateOption(command);
  addWorkersKvOptions(command);
  command.action((name: string | undefined, file: string | undefined, options: ImportOptions) =>
    untilInterrupted(command, (interrupted) => {
      const { timeout } = globals(command);
      const isGiven = command.getOptionValueSourceWithGlobals("timeout") !== "default";
      const limits: ImportLimits = {
        onError: options.onError,
        partBytes: options.partSize,
        timeoutMs: isGiven ? timeout * 1_000 : DEFAULT_IDLE_TIMEOUT_MS,
        interrupted,
      };
      if (options.all !== undefined && (name !== undefined || options.fromWorkersKv !== undefined))
        throw usage("--all can't be combined with a bucket or --from-workers-kv.");
      if (options.all !== undefined && createOf(command).create !== undefined)
        throw usage("--all creates missing buckets by itself: leave --create out.");
      if (options.all !== undefined) return importFolder(command, options.all, limits);
      if (name === undefined) throw usage("Give a bucket, or --all with a folder.");
      return (
        importFromWorkersKv(command, name, file, options, limits) ??
        importOne(command, name, file ?? "-", limits)
      );
    }),
  );
  withExamples(command, {
    "kv import shopping shopping.ndjson": "",
    "kv export shopping | kv import pantry": "into an existing bucket",
    "kv import --all backup/": "creates missing buckets",
    "kv import shopping list.ndjson --on-error continue": "skips invalid lines",
    "kv import shopping list.ndjson --part-size 1": "through a proxy that refuses bodies over 1 MiB",
    "kv import carts --from-workers-kv CARTS":
      "moves the namespace of this binding, in the old Worker's folder",
    "kv import carts --from-workers-kv CARTS --resume": "goes on after an interruption",
  });
}

/** Imports the buckets of an export's folder; creates those that are missing. */
async function importFolder(command: Command, folder: string, limits: ImportLimits): Promise<void> {
  const service = serviceOf(command);
  const list = await readList(folder);
  // Check that all files exist before anything is created.
  await Promise.all(list.map(({ file }) => stat(join(folder, file))));
  for (const { name, file, ...settings } of list) {
    // From a file: the service checks them.
    await service.create(name, { ...(settings as BucketOptions), signal: limits.interrupted });
    await importOne(command, name, join(folder, file), limits);
  }
}

async function importOne(command: Command, name: string, from: string, limits: ImportLimits): Promise<void> {
  const result: ImportResult = await importFile(
    command,
    serviceOf(command).bucket(name, createOf(command)),
    from,
    limits,
  );
  await (globals(command).json
    ? writeJson(command, { bucket: name, ...result })
    : writeLine(command, summaryOf(name, result)));
  for (const { line, detail } of result.errors) {
    writeMessage(processOf(command), `kv: ${name}, line ${line}: ${detail}`);
  }
  if (result.failed > 0) processOf(command).exitCode = EXIT.refused;
}
