/** `npm run bench:registry`: how soon an end is known, what knowing costs, and what names cost. */

import { detection } from "./detection.ts";
import { millionNames } from "./million-names.ts";
import { sweep } from "./sweep.ts";
import { unknownNames } from "./unknown-names.ts";

const benches: Readonly<Record<string, () => Promise<void>>> = {
  detection: async () => {
    console.log("\nFrom the end of a bucket until somebody who monitors it hears of it:\n");
    console.table(await detection());
  },
  sweep: async () => {
    console.log("\nA sweep of 10,000 buckets in 16 partitions, 100 at once:\n");
    console.table(await sweep());
  },
  million: async () => {
    console.log("\nOne partition with a million names beside one with a thousand, in turn:\n");
    const { table, bytesPerName } = await millionNames();
    console.table(table);
    console.log(`${bytesPerName.toFixed(0)} bytes on disk for each name`);
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
