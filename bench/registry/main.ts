/** `npm run bench:registry`: time to detect a bucket's end, cost of a sweep, and cost of names. */

import { detection } from "./detection.ts";
import { millionNames } from "./million-names.ts";
import { sweep } from "./sweep.ts";
import { unknownNames } from "./unknown-names.ts";

const benches: Readonly<Record<string, () => Promise<void>>> = {
  detection: async () => {
    console.log("\nTime from the end of a bucket until a monitor gets DOWN:\n");
    console.table(await detection());
  },
  sweep: async () => {
    console.log("\nA sweep of 10,000 buckets in 16 partitions, 100 in parallel:\n");
    console.table(await sweep());
  },
  million: async () => {
    console.log(
      "\nOne partition with a million names compared with one with a thousand, in alternating rounds:\n",
    );
    const { table, bytesPerName } = await millionNames();
    console.table(table);
    console.log(`${bytesPerName.toFixed(0)} bytes on disk per name`);
  },
  unknown: async () => {
    console.log("\nLookups of names that were never created:\n");
    console.table(await unknownNames());
  },
};

const only = process.argv[2];
for (const [name, bench] of Object.entries(benches)) {
  if (only === undefined || only === name) await bench();
}
process.exit();
