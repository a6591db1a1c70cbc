/** What could stand at the cursor of a command line. */

import type { Command, Option } from "commander";
import { isPrintable } from "../printable.ts";
import { variable } from "../process.ts";
import { DEFAULT_URL, service } from "../service.ts";

/** A name or key that is more than this cannot be typed anyway. */
const MAX_NAMES = 100;
/** A shell waits for it, and so does who has pressed Tab. */
const PATIENCE = { timeoutMs: 2_000, retries: 0 };

/** What the words before the cursor come to. */
export interface Place {
  /** Undefined while the command itself is being typed. */
  readonly command: Command | undefined;
  /** The arguments before the cursor. */
  readonly args: readonly string[];
  /** Options that have a value, by name: `--url`. */
  readonly values: ReadonlyMap<string, string>;
  /** The option whose value is being typed. */
  readonly pending: Option | undefined;
  /** Whether `--` is before the cursor: from there on nothing is an option. */
  readonly literal: boolean;
}

export function placeOf(kv: Command, words: readonly string[]): Place {
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

/** The candidates for the last of the words, which may be empty. */
export async function candidates(kv: Command, words: readonly string[]): Promise<readonly string[]> {
  const partial = words.at(-1) ?? "";
  const place = placeOf(kv, words.slice(0, -1));
  const found = await proposals(kv, place, partial);
  return found.filter((candidate) => candidate.startsWith(partial));
}

async function proposals(kv: Command, place: Place, partial: string): Promise<readonly string[]> {
  const { command, args, pending, literal } = place;
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
  const names = argument === undefined ? [] : await namesOf(kv, argument.name(), place, partial);
  return literal ? names : names.filter((name) => !name.startsWith("-"));
}

/** Names that only the service knows. */
async function namesOf(
  program: Command,
  argument: string,
  { args, values }: Place,
  prefix: string,
): Promise<string[]> {
  if (argument !== "bucket" && argument !== "key") return [];
  const url = values.get("--url") ?? variable(program, "KV_URL") ?? DEFAULT_URL;
  const kv = service(url, values.get("--token") ?? variable(program, "KV_TOKEN"), PATIENCE);
  const names: string[] = [];
  if (argument === "bucket") {
    for await (const { name } of kv.buckets({ prefix })) {
      if (names.push(name) === MAX_NAMES) break;
    }
    return names;
  }
  for await (const { key } of kv.bucket(args[0] ?? "").list({ prefix, limit: MAX_NAMES })) names.push(key);
  // A shell tells candidates apart by their lines, and shows them as they are.
  return names.filter((name) => isPrintable(name) && !/[\n\t]/.test(name));
}

function optionsOf(kv: Command, command: Command | undefined): readonly Option[] {
  return command === undefined ? kv.options : [...command.options, ...kv.options];
}
