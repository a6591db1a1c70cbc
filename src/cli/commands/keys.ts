/** `kv keys`. */

import type { Command } from "commander";
import type { ListOptions } from "../../client/index.ts";
import { parsePositive } from "../arguments.ts";
import { withExamples } from "../help.ts";
import { writeJson, writeRow } from "../output.ts";
import { bucketOf, globals } from "../service.ts";
import { keyText, valueJson, valueText } from "../value-text.ts";

export function addKeys(kv: Command): void {
  const command = kv
    .command("keys <bucket>")
    .description("list keys in byte order")
    .option("--prefix <prefix>", "only keys with this prefix")
    .option("--start <key>", "first key, inclusive")
    .option("--end <key>", "last key, exclusive")
    .option("--reverse", "in descending order")
    .option("--limit <number>", "maximum number of keys", parsePositive)
    .option("--values", "add the value after a tab")
    .action(async (name: string, options: ListOptions) => {
      const bucket = bucketOf(command, name);
      for await (const { value: listed, ...entry } of bucket.list(options)) {
        // A value that is too large for the list is read by itself; the key may be deleted by then.
        const value = options.values ? (listed ?? (await bucket.get(entry.key))) : undefined;
        if (globals(command).json) await writeJson(command, { ...entry, ...valueJson(value) });
        else await writeRow(command, keyText(entry.key), value && valueText(value));
      }
    });
  withExamples(command, {
    "kv keys shopping --prefix m": "",
    "kv keys shopping --values --limit 10": "",
    "kv keys events --reverse --limit 1": "the last key",
  });
}
