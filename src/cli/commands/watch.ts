/** `kv watch`. */

import { Option, type Command } from "commander";
import type { Change, WatchOptions } from "../../client/index.ts";
import { withExamples } from "../help.ts";
import { untilInterrupted } from "../interrupt.ts";
import { writeJson, writeRow } from "../output.ts";
import { bytesBucket, globals, serviceOf } from "../service.ts";
import { keyText, valueJson, valueText } from "../value-text.ts";
import { noBucket } from "./buckets.ts";

export function addWatch(kv: Command): void {
  const command = kv
    .command("watch <bucket>")
    .description("print a bucket's changes as they happen, until Ctrl-C or the bucket's end")
    .addOption(new Option("--prefix <prefix>", "only keys with this prefix").conflicts("key"))
    .option("--key <key>", "only this key")
    .option("--snapshot", "begin with all existing entries")
    .addOption(
      new Option(
        "--since <id>",
        "begin after a change's id, as --json prints it, or after a revision",
      ).conflicts("snapshot"),
    )
    .option("--no-values", "keys only")
    .action(async (name: string, options: WatchOptions) => {
      const service = serviceOf(command);
      if ((await service.lookup(name)) === undefined) throw noBucket(name);
      await untilInterrupted(command, async (signal) => {
        let begun = false;
        for await (const change of bytesBucket(service, name).watch({ ...options, signal })) {
          // The first `begin` is not printed. A later one means that the snapshot was cut off and starts again.
          const first = change.event === "begin" && !begun;
          begun = true;
          if (first) continue;
          await (globals(command).json
            ? writeJson(command, jsonOf(change))
            : writeRow(command, ...columnsOf(change)));
        }
      });
    });
  withExamples(command, {
    "kv watch shopping": "",
    "kv watch shopping --prefix m --snapshot": "existing entries first, then changes",
    "kv watch shopping --json | jq -r .key": "",
  });
}

function columnsOf(change: Change<Uint8Array>): (string | undefined)[] {
  switch (change.event) {
    case "begin":
      return ["begin"];
    case "end_of_snapshot":
      return [change.event];
    case "entry":
    case "put":
      return [change.event, keyText(change.key), change.value && valueText(change.value)];
    case "delete":
    case "expired":
      return [change.event, keyText(change.key)];
  }
}

function jsonOf(change: Change<Uint8Array>): unknown {
  if (change.event !== "entry" && change.event !== "put") return change;
  const { value, ...rest } = change;
  return { ...rest, ...valueJson(value) };
}
