/** Power cuts by hand: `node --disable-warning=ExperimentalWarning test/power-cut/main.ts --disks 30`. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bundlePrograms } from "../e2e/support/bundled.ts";
import { temporaryFolder } from "../e2e/support/server.ts";
import type { Fault } from "./disk.ts";
import { checkDisks, recordLives, reportOf, summaryOf } from "./run.ts";

const { values } = parseArgs({
  options: {
    disks: { type: "string", default: "30" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    /** A server is started on each n-th disk. */
    "server-every": { type: "string", default: "4" },
    /** Draws disks that no legal cut leaves: "sync ignored", "half a transaction". */
    fault: { type: "string" },
    /** What the server does while it is recorded: short or long. */
    length: { type: "string", default: "short" },
  },
});

const seed = Number(values.seed);
const folder = temporaryFolder();
const started = performance.now();
// As the tests' global setup does it: a server is started hundreds of times.
process.env["KV_TEST_SERVER"] ??= (await bundlePrograms(join(folder.path, "programs"))).server;
process.env["NODE_COMPILE_CACHE"] ??= join(folder.path, "compiled");
const recording = join(folder.path, "recording");
mkdirSync(recording);
const recorded = await recordLives(seed, recording, values.length === "long" ? "long" : "short");
console.log(`Seed ${seed}: ${recorded.operations.length} operations in ${seconds()} seconds.`);
const summary = await checkDisks(recorded, {
  seed,
  disks: Number(values.disks),
  serverEvery: Number(values["server-every"]),
  ...(values.fault !== undefined && { fault: values.fault as Fault }),
});
for (const failure of summary.failures) console.log(reportOf(failure));
console.log(summaryOf(summary, Number(seconds())));
await folder.remove();
process.exitCode = summary.failures.length > 0 ? 1 : 0;

function seconds(): string {
  return ((performance.now() - started) / 1_000).toFixed(1);
}
