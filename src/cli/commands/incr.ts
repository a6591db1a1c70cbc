/** `kv incr`. */

import type { Command } from "commander";
import type { IncrementOptions, OnceOptions } from "../../client/index.ts";
import { parseInteger, parseSeconds } from "../arguments.ts";
import { withExamples } from "../help.ts";
import { writeJson, writeLine } from "../output.ts";
import { addCreateOption, bucketOf, globals } from "../service.ts";

export function addIncr(kv: Command): void {
  const command = kv
    .command("incr")
    .description("add to a counter, atomically, and print the sum")
    .argument("<bucket>")
    .argument("<key>")
    .argument("[by]", "amount to add (default: 1)", parseInteger)
    .option("--initial <number>", "start value of a missing key (default: 0)", parseInteger)
    .option("--ttl <seconds>", "time to live of a missing key; an existing key keeps its own", parseSeconds)
    .option("--idempotency-key <key>", "requests with the same key count once");
  addCreateOption(command).action(
    async (
      bucket: string,
      key: string,
      by: bigint | undefined,
      given: Omit<IncrementOptions, "by"> & OnceOptions & { readonly create?: true },
    ) => {
      const { create: _, ...options } = given;
      const amount = by === undefined ? {} : { by };
      const sum = await bucketOf(command, bucket).increment(key, { ...options, ...amount });
      await (globals(command).json ? writeJson(command, sum) : writeLine(command, String(sum.value)));
    },
  );
  withExamples(command, {
    "kv incr shopping visits": "",
    "kv incr shopping stock -- -3": "subtract three",
    "kv incr shopping orders --idempotency-key order-17": "safe to repeat",
  });
}
