/** `kv keys`. */

import type { Command } from "commander";
import type { ListOptions } from "../../client/index.ts";
import { positive } from "../arguments.ts";
import { withExamples } from "../help.ts";
import { writeJson, writeRow } from "../output.ts";
import { bucketOf, globals } from "../service.ts";
import { keyText, valueJson, valueText } from "../value-text.ts";

export function addKeys(kv: Command): void {
  const command = kv
    .command("keys <bucket>")
    .description("list keys in the order of their bytes")
    .option("--prefix <prefix>", "only keys that begin like this")
    .option("--start <key>", "from this one on")
    .option("--end <key>", "up to this one, which is left out")
    .option("--reverse", "backwards")
    .option("--limit <number>", "so many at most", positive)
    .option("--values", "with values, behind a tab")
    .action(async (name: string, options: ListOptions) => {
      const bucket = bucketOf(command, name);
      for await (const { value: listed, ...entry } of bucket.list(options)) {
        // One that is too large to travel with others is asked for by itself; it may be gone by now.
        const value = options.values ? (listed ?? (await bucket.get(entry.key))) : undefined;
        if (globals(command).json) await writeJson(command, { ...entry, ...valueJson(value) });
        else await writeRow(command, keyText(entry.key), value && valueText(value));
      }
    });
  withExamples(command, {
    "kv keys shopping --prefix m": "",
    "kv keys shopping --values --limit 10": "",
    "kv keys events --reverse --limit 1": "the last one",
  });
}
