/** `kv put`, `kv get`, `kv delete`. */

import { Option, type Command } from "commander";
import type { Conditions, Properties, Range } from "../../client/index.ts";
import {
  parseDate,
  parseEtag,
  withoutUndefined,
  parseJsonArgument,
  parseSeconds,
  type Json,
} from "../arguments.ts";
import { ExitError, EXIT, usage } from "../exit.ts";
import { withExamples } from "../help.ts";
import { write, writeJson } from "../output.ts";
import { processOf } from "../process.ts";
import { addCreateOption, bucketOf, globals } from "../service.ts";
import { valueJson } from "../value-text.ts";
import { valueFrom } from "../value-source.ts";

type PutOptions = Omit<Properties, "metadata"> &
  Conditions & { readonly metadata?: Json; readonly create?: true };

export function addPut(kv: Command): void {
  const command = kv
    .command("put <bucket> <key> [value]")
    .description("store a value; with `-`, or with no value and piped input, read it from stdin")
    .addOption(new Option("--ttl <seconds>", "time to live").argParser(parseSeconds).conflicts("expires"))
    .option("--expires <time>", "time of expiry", parseDate)
    .option("--metadata <json>", "any JSON to store with it", parseJsonArgument)
    .option("--type <type>", "content type (default: text for a value, bytes for stdin)");
  addCreateOption(addConditions(command)).action(
    async (bucket: string, key: string, text: string | undefined, given: PutOptions) => {
      const { metadata, create: _, ...options } = given;
      const { value, type } = await valueFrom(command, text);
      const kept = metadata === undefined ? {} : { metadata: metadata.json };
      const written = await bucketOf(command, bucket).put(key, value, { type, ...options, ...kept });
      if (globals(command).json) await writeJson(command, written);
    },
  );
  withExamples(command, {
    "kv put shopping milk 1": "",
    "kv put notes monday rain --create": "creates the bucket if it does not exist",
    "kv put pictures cat --type image/png < cat.png": "",
    "kv put sessions ada abc --ttl 3600": "expires in an hour",
    "kv put shopping milk 2 --if-none-match '*'": "only if it does not exist",
    "kv put shopping total -- -5": "a value that looks like an option",
  });
}

export function addGet(kv: Command): void {
  const command = kv
    .command("get <bucket> <key>")
    .description("print a value, byte for byte")
    .option("--delete", "delete the key in the same step: of many callers at once, one gets the value")
    .action(async (name: string, key: string, options: { readonly delete?: true }) => {
      const bucket = bucketOf(command, name);
      const entry = await (options.delete === true ? bucket.getAndDeleteEntry(key) : bucket.entry(key));
      if (entry?.value === undefined) {
        throw new ExitError(EXIT.notFound, `kv: There is no key ${key} in bucket ${name}.`);
      }
      const { value, ...rest } = entry;
      if (globals(command).json) return writeJson(command, { ...rest, ...valueJson(value) });
      await write(command, value);
      // So that the shell's prompt starts on a new line. Files and pipes get the exact bytes.
      if (processOf(command).stdout.isTTY && value.at(-1) !== 0x0a) await write(command, "\n");
    });
  withExamples(command, {
    "kv get shopping milk": "",
    "kv get pictures cat > cat.png": "",
    "kv get shopping milk --json": "with its etag, type, expiry and metadata",
    "kv get queue 17 --delete": "so that nobody else gets it",
  });
}

export function addDelete(kv: Command): void {
  const command = kv
    .command("delete <bucket> [key]")
    .description("delete a key, which need not exist, or all keys of a prefix or range")
    .option("--prefix <prefix>", "instead of a key: all keys with this prefix")
    .option("--start <key>", "instead of a key: first key, inclusive")
    .option("--end <key>", "instead of a key: last key, exclusive");
  addConditions(command).action(
    async (name: string, key: string | undefined, options: Range & Conditions) => {
      const { ifMatch, ifNoneMatch, ...range } = options;
      const conditions = withoutUndefined({ ifMatch, ifNoneMatch });
      const bucket = bucketOf(command, name);
      if ((key === undefined) === (Object.keys(range).length === 0)) {
        throw usage("Give either a key, or a range with --prefix, --start or --end.");
      }
      if (key === undefined && Object.keys(conditions).length > 0) {
        throw usage("--if-match and --if-none-match need a key, and can't be combined with a range.");
      }
      const deleted =
        key === undefined ? await bucket.deleteRange(range) : await bucket.delete(key, conditions);
      if (globals(command).json) await writeJson(command, { deleted });
    },
  );
  withExamples(command, {
    "kv delete shopping milk": "",
    "kv delete sessions --prefix ada/": "",
  });
}

function addConditions(command: Command): Command {
  return command
    .option(
      "--if-match <etag>",
      "only if the key has this etag, or, with *, if it exists; repeatable",
      parseEtag,
    )
    .option(
      "--if-none-match <etag>",
      "only if the key does not have this etag, or, with *, does not exist; repeatable",
      parseEtag,
    );
}
