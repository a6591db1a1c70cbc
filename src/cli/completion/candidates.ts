/** Completion candidates for a command line. */

import type { Command, Option } from "commander";
import { isPrintable } from "../printable.ts";
import { variable } from "../process.ts";
import { DEFAULT_URL, service } from "../service.ts";

/** Most bucket names or keys that are proposed. */
const MAX_NAMES = 100;
/** A short deadline and no retries, because the user waits after pressing Tab. */
const REQUEST_LIMITS = { timeoutMs: 2_000, retries: 0 };

/** The parsed words before the cursor. */
export interface CompletionContext {
  /** Undefined while the command itself is being typed. */
  readonly command: Command | undefined;
  /** Positional arguments before the cursor. */
  readonly args: readonly string[];
  /** Values of options, by name, such as `--url`. */
  readonly values: ReadonlyMap<string, string>;
  /** The option whose value is being typed. */
  readonly pending: Option | undefined;
  /** Whether `--` precedes the cursor, so that nothing is an option. */
  readonly literal: boolean;
}

function contextOf(kv: Command, words: readonly string[]): CompletionContext {
  let command: Command | undefined;
  let pending: Option | undefined;
  const args: string[] = [];
  const values = new Map<string, string>();
  let literal = false;
  for (const word of words) {
    if (pending !== undefined) {
      values.set(pending.long ?? "", word);
      pending = undefined;
      continue;
    }
    if (word === "--" && !literal) {
      literal = true;
      continue;
    }
    const [flag = "", value] = word.startsWith("--") ? word.split(/=(.*)/s) : [word];
    const option = literal
      ? undefined
      : optionsOf(kv, command).find(({ long, short }) => flag === long || flag === short);
    if (option !== undefined) {
      if (value !== undefined) values.set(flag, value);
      else if (option.required) pending = option;
    } else if (command === undefined) command = kv.commands.find((one) => one.name() === word);
    else args.push(word);
  }
  return { command, args, values, pending, literal };
}

/** The candidates for the last word, which may be empty. */
export async function candidates(kv: Command, words: readonly string[]): Promise<readonly string[]> {
  const partial = words.at(-1) ?? "";
  const context = contextOf(kv, words.slice(0, -1));
  const found = await candidatesAt(kv, context, partial);
  return found.filter((candidate) => candidate.startsWith(partial));
}

async function candidatesAt(
  kv: Command,
  context: CompletionContext,
  partial: string,
): Promise<readonly string[]> {
  const { command, args, pending, literal } = context;
  if (pending !== undefined) return pending.argChoices ?? [];
  if (partial.startsWith("-") && !literal) {
    return [...optionsOf(kv, command), ...kv.createHelp().visibleOptions(kv)]
      .map(({ long }) => long ?? "")
      .filter((long, index, all) => long !== "" && all.indexOf(long) === index);
  }
  if (command === undefined) {
    return kv
      .createHelp()
      .visibleCommands(kv)
      .map((one) => one.name());
  }
  const argument = command.registeredArguments[args.length];
  if (argument?.argChoices !== undefined) return argument.argChoices;
  const names = argument === undefined ? [] : await namesOf(kv, argument.name(), context, partial);
  return literal ? names : names.filter((name) => !name.startsWith("-"));
}

/** Bucket names or keys, from the service. */
async function namesOf(
  program: Command,
  argument: string,
  { args, values }: CompletionContext,
  prefix: string,
): Promise<string[]> {
  if (argument !== "bucket" && argument !== "key") return [];
  const url = values.get("--url") ?? variable(program, "KV_URL") ?? DEFAULT_URL;
  const kv = service(url, values.get("--token") ?? variable(program, "KV_TOKEN"), REQUEST_LIMITS);
  const names: string[] = [];
  if (argument === "bucket") {
    for await (const { name } of kv.buckets({ prefix })) {
      if (names.push(name) === MAX_NAMES) break;
    }
    return names;
  }
  for await (const { key } of kv.bucket(args[0] ?? "").list({ prefix, limit: MAX_NAMES })) names.push(key);
  // One candidate per line, shown unescaped: leave out keys with line breaks or control characters.
  return names.filter((name) => isPrintable(name) && !/[\n\t]/.test(name));
}

function optionsOf(kv: Command, command: Command | undefined): readonly Option[] {
  return command === undefined ? kv.options : [...command.options, ...kv.options];
}
