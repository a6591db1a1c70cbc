/** `kv put`, `kv get`, `kv delete`. */

import { Option, type Command } from "commander";
import type { Conditions, Properties, Range } from "../../client/index.ts";
import { date, etag, given, json, seconds, type Json } from "../arguments.ts";
import { Ended, EXIT, usage } from "../exit.ts";
import { withExamples } from "../help.ts";
import { write, writeJson } from "../output.ts";
import { processOf } from "../process.ts";
import { bucketOf, globals } from "../service.ts";
import { valueJson } from "../value-text.ts";
import { valueFrom } from "../value-source.ts";

type PutOptions = Omit<Properties, "metadata"> & Conditions & { readonly metadata?: Json };

export function addPut(kv: Command): void {
  const command = kv
    .command("put <bucket> <key> [value]")
    .description("store a value; `-`, or none with something piped in, is what comes from stdin")
    .addOption(new Option("--ttl <seconds>", "how long it lives").argParser(seconds).conflicts("expires"))
    .option("--expires <time>", "when it expires", date)
    .option("--metadata <json>", "what is kept beside it", json)
    .option("--type <type>", "its content type (text of a command line, bytes of stdin)");
  addConditions(command).action(
    async (bucket: string, key: string, text: string | undefined, { metadata, ...options }: PutOptions) => {
      const { value, type } = await valueFrom(command, text);
      const kept = metadata === undefined ? {} : { metadata: metadata.json };
      const written = await bucketOf(command, bucket).put(key, value, { type, ...options, ...kept });
      if (globals(command).json) await writeJson(command, written);
    },
  );
  withExamples(command, {
    "kv put shopping milk 1": "",
    "kv put pictures cat --type image/png < cat.png": "",
    "kv put sessions ada abc --ttl 3600": "gone in an hour",
    "kv put shopping milk 2 --if-none-match '*'": "only if it is not there",
    "kv put shopping total -- -5": "a value that looks like an option",
  });
}

export function addGet(kv: Command): void {
  const command = kv
    .command("get <bucket> <key>")
    .description("print a value, byte for byte")
    .action(async (bucket: string, key: string) => {
      const entry = await bucketOf(command, bucket).entry(key);
      if (entry?.value === undefined) {
        throw new Ended(EXIT.notFound, `kv: There is no key ${key} in bucket ${bucket}.`);
      }
      const { value, ...rest } = entry;
      if (globals(command).json) return writeJson(command, { ...rest, ...valueJson(value) });
      await write(command, value);
      // A prompt begins its own line. What goes to a file or a program is left as it is.
      if (processOf(command).stdout.isTTY && value.at(-1) !== 0x0a) await write(command, "\n");
    });
  withExamples(command, {
    "kv get shopping milk": "",
    "kv get pictures cat > cat.png": "",
    "kv get shopping milk --json": "with its etag, type, expiry and metadata",
  });
}

export function addDelete(kv: Command): void {
  const command = kv
    .command("delete <bucket> [key]")
    .description("delete a key, also one that is not there, or all keys of a prefix or range")
    .option("--prefix <prefix>", "instead of a key: all keys that begin like this")
    .option("--start <key>", "instead of a key: from this one on")
    .option("--end <key>", "instead of a key: up to this one, which stays");
  addConditions(command).action(
    async (name: string, key: string | undefined, options: Range & Conditions) => {
      const { ifMatch, ifNoneMatch, ...range } = options;
      const conditions = given({ ifMatch, ifNoneMatch });
      const bucket = bucketOf(command, name);
      if ((key === undefined) === (Object.keys(range).length === 0)) {
        throw usage("Name either a key, or a range: --prefix, --start, --end.");
      }
      if (key === undefined && Object.keys(conditions).length > 0) {
        throw usage("--if-match and --if-none-match go with one key.");
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
    .option("--if-match <etag>", "only if the key has this etag, or any with *; may be repeated", etag)
    .option("--if-none-match <etag>", "only if it has not; with *, only if it is not there", etag);
}
