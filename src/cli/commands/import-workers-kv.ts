/** `kv import --from-workers-kv`: its options, and where the entries come from. */

import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { Option, type Command } from "commander";
import { EXIT, usage } from "../exit.ts";
import type { ImportLimits } from "../import-file.ts";
import { writeJson, writeLine, writeMessage } from "../output.ts";
import { processOf } from "../process.ts";
import { createOf, globals, serviceOf } from "../service.ts";
import { openStdin } from "../stdin.ts";
import type { Found } from "../workers-kv/entry.ts";
import { foundIn, type Given } from "../workers-kv/file.ts";
import { move, summaryOfMove, type Source } from "../workers-kv/move.ts";
import { pagesOf } from "../workers-kv/namespace.ts";
import { Wrangler, type ListedKey } from "../workers-kv/wrangler.ts";

export interface WorkersKvOptions {
  /** True without a binding: a file has the entries. */
  readonly fromWorkersKv?: string | true;
  readonly remote?: true;
  readonly local?: true;
  readonly config?: string;
  readonly env?: string;
  readonly persistTo?: string;
  readonly keys?: string;
  readonly resume?: true;
}

/** Names of options that only wrangler can heed. */
const WRANGLERS = ["remote", "local", "config", "env", "persistTo"] as const;
/** wrangler takes seconds to start: several at once save time. More would reach Cloudflare's limit of API calls. */
const REMOTE_AT_ONCE = 4;
/** Local storage is a file, which several wranglers would lock. */
const LOCAL_AT_ONCE = 1;
/** The most entries of a file that are one page. */
const FILE_PAGE = 100;

export function addWorkersKvOptions(command: Command): void {
  command
    .option(
      "--from-workers-kv [binding]",
      "import a Workers KV namespace, by its binding in the wrangler configuration of this folder, or by its id; without either, a file of wrangler",
    )
    .addOption(new Option("--remote", "with a binding: its data on Cloudflare (default)").conflicts("local"))
    .option("--local", "with a binding: its data of wrangler dev")
    .option("--config <file>", "with a binding: the wrangler configuration")
    .option("--env <name>", "with a binding: its environment in the wrangler configuration")
    .option("--persist-to <folder>", "with --local: the folder of the data")
    .option("--resume", "with --from-workers-kv: skip keys that the bucket has already")
    .option("--keys <file>", "with a file of wrangler kv bulk get: what wrangler kv key list prints");
}

/** @returns undefined if it is another import @throws {ExitError} for options that can't be heeded */
export function importFromWorkersKv(
  command: Command,
  name: string,
  file: string | undefined,
  options: WorkersKvOptions,
  limits: ImportLimits,
): Promise<void> | undefined {
  const { fromWorkersKv: from, resume = false } = options;
  checkCombination(file, options);
  // It would wait for a file to be typed in.
  if (from === true && file === undefined && processOf(command).stdin.isTTY)
    throw usage("Give a binding, as in --from-workers-kv CARTS, or a file after the bucket.");
  if (from === undefined) return undefined;
  const target = { name, resume, limits };
  return from === true
    ? run(command, target, () => fileSource(command, file ?? "-", options.keys))
    : run(command, target, () => namespaceSource(command, from, options, limits.interrupted));
}

function checkCombination(file: string | undefined, options: WorkersKvOptions): void {
  const { fromWorkersKv: from, keys, resume, local, persistTo } = options;
  const wranglers = WRANGLERS.find((option) => options[option] !== undefined);
  const flag = (option: string): string => `--${option.replace("T", "-t")}`;
  if (from === undefined) {
    const given = wranglers ?? (keys === undefined ? resume && "resume" : "keys");
    if (given) throw usage(`${flag(given)} needs --from-workers-kv.`);
  } else if (from === true) {
    if (wranglers !== undefined) throw usage(`${flag(wranglers)} needs a binding: --from-workers-kv CARTS.`);
  } else {
    if (!/^[\w$]+$/.test(from)) {
      throw usage(`${from} is no binding. Give a file after the bucket, and --from-workers-kv last.`);
    }
    if (file !== undefined) throw usage("Give a binding or a file, not both.");
    if (keys !== undefined) throw usage("--keys belongs to a file, and not to a binding.");
    if (persistTo !== undefined && local === undefined) throw usage("--persist-to needs --local.");
  }
}

interface Target {
  readonly name: string;
  readonly resume: boolean;
  readonly limits: ImportLimits;
}

async function run<Key>(
  command: Command,
  { name, resume, limits }: Target,
  open: () => Promise<Source<Key>>,
): Promise<void> {
  const service = serviceOf(command);
  if (createOf(command).create !== undefined) await service.create(name, { signal: limits.interrupted });
  const moved = await move(command, service, service.bucket(name), open, { ...limits, resume });
  await (globals(command).json
    ? writeJson(command, { bucket: name, ...moved })
    : writeLine(command, summaryOfMove(name, moved)));
  for (const { key, detail } of moved.errors) {
    writeMessage(processOf(command), `kv: ${name}, key ${JSON.stringify(key)}: ${detail}`);
  }
  if (moved.failed > 0) processOf(command).exitCode = EXIT.refused;
}

async function namespaceSource(
  command: Command,
  name: string,
  { local, config, env, persistTo }: WorkersKvOptions,
  signal: AbortSignal,
): Promise<Source<ListedKey>> {
  const where = local ? "local" : "remote";
  const wrangler = new Wrangler(
    { name, where, config, env, persistTo },
    { env: processOf(command).env, signal },
  );
  const atOnce = local ? LOCAL_AT_ONCE : REMOTE_AT_ONCE;
  return {
    keys: await wrangler.list(),
    nameOf: (key) => key.name,
    pages: (keys) => pagesOf(keys, wrangler, { atOnce }),
  };
}

async function fileSource(command: Command, file: string, keys: string | undefined): Promise<Source<Found>> {
  const read = async (name: string): Promise<Given> =>
    name === "-"
      ? { name: "stdin", text: await text(openStdin(command)) }
      : { name, text: await readFile(name, "utf8") };
  const found = foundIn(await read(file), keys === undefined ? undefined : await read(keys));
  return {
    keys: found,
    nameOf: (one) => (one.kind === "entry" ? one.entry.key : one.key),
    async *pages(left) {
      for (let at = 0; at < left.length; at += FILE_PAGE) yield left.slice(at, at + FILE_PAGE);
    },
  };
}
