/** `kv monitor`. */

import type { Command } from "commander";
import { withExamples } from "../help.ts";
import { untilInterrupted } from "../interrupt.ts";
import { writeJson, writeLine } from "../output.ts";
import { globals, serviceOf } from "../service.ts";
import { keyText } from "../value-text.ts";

export function addMonitor(kv: Command): void {
  const command = kv
    .command("monitor <bucket>")
    .description("print a bucket's restarts and its end; without such a bucket, DOWN … noproc at once")
    .action(async (name: string) => {
      const service = serviceOf(command);
      await untilInterrupted(command, async (signal) => {
        for await (const event of service.monitor(name, { signal })) {
          if (globals(command).json) await writeJson(command, event);
          else await writeLine(command, `${event.event} ${event.name} ${keyText(event.reason)}`);
        }
      });
    });
  withExamples(command, {
    "kv monitor shopping": "",
    "kv monitor shopping && echo gone": "wait for its end",
  });
}
