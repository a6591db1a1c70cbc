/** `kv incr`. */

import type { Command } from "commander";
import type { IncrementOptions, OnceOptions } from "../../client/index.ts";
import { integer, seconds } from "../arguments.ts";
import { withExamples } from "../help.ts";
import { writeJson, writeLine } from "../output.ts";
import { bucketOf, globals } from "../service.ts";

export function addIncr(kv: Command): void {
  const command = kv
    .command("incr")
    .description("add to a counter, atomically, and print the sum")
    .argument("<bucket>")
    .argument("<key>")
    .argument("[by]", "1 if left out", integer)
    .option("--initial <number>", "what a key counts from that is not there (0)", integer)
    .option("--ttl <seconds>", "how long a key lives that is not there", seconds)
    .option("--idempotency-key <key>", "with the same key it is done once, however often it is sent")
    .action(
      async (
        bucket: string,
        key: string,
        by: bigint | undefined,
        options: Omit<IncrementOptions, "by"> & OnceOptions,
      ) => {
        const amount = by === undefined ? {} : { by };
        const sum = await bucketOf(command, bucket).increment(key, { ...options, ...amount });
        await (globals(command).json ? writeJson(command, sum) : writeLine(command, String(sum.value)));
      },
    );
  withExamples(command, {
    "kv incr shopping visits": "",
    "kv incr shopping stock -- -3": "takes three away",
    "kv incr shopping orders --idempotency-key order-17": "may be repeated without harm",
  });
}
