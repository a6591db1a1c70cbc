/** `kv exit`. */

import type { Command } from "commander";
import { withExamples } from "../help.ts";
import { serviceOf } from "../service.ts";
import { noBucket } from "./buckets.ts";

export function addExit(kv: Command): void {
  const command = kv
    .command("exit <bucket> <reason>")
    .description("send an exit signal: a permanent bucket is restarted, a temporary one ends")
    .action(async (name: string, reason: string) => {
      if (!(await serviceOf(command).exit(name, reason))) throw noBucket(name);
    });
  withExamples(command, {
    "kv exit shopping 'tidy up'": "",
    "kv exit shopping kill": "a signal that can't be handled; monitors get the reason killed",
  });
}
