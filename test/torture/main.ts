/** `npm run torture`: the server under faults, and whether it has kept its promises. */

import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundlePrograms } from "../e2e/support/bundled.ts";
import { temporaryFolder } from "../e2e/support/server.ts";
import type { Call } from "./check/history.ts";
import { check } from "./check/linearizable.ts";
import { type Options, optionsOf, USAGE } from "./options.ts";
import { inLines } from "./report.ts";
import { buildAll } from "./server/build.ts";
import { endAllNodes } from "./faults/cluster-target.ts";
import { endAll } from "./faults/target.ts";
import { torture } from "./torture.ts";

/** An operation without an answer has none in JSON either. */
const toJson = (history: readonly Call[]): string => JSON.stringify(history, null, 2);

function fromJson(text: string): Call[] {
  return (JSON.parse(text) as Call[]).map((call) => ({ ...call, answered: call.answered ?? Infinity }));
}

function readHistory(file: string): Call[] {
  try {
    return fromJson(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`--check ${file}: ${(error as Error).message}`, { cause: error });
  }
}

async function main({
  minutes,
  seed,
  faults,
  broken,
  first,
  cluster,
  lease,
  check: file,
}: Options): Promise<number> {
  if (file !== undefined) {
    const verdict = check(readHistory(file));
    console.log(verdict);
    return verdict === "legal" ? 0 : 1;
  }
  const folder = temporaryFolder();
  // The server is in a group of its own: what ends this process has to end it, too.
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      endAll();
      endAllNodes();
      void folder.remove().finally(() => process.exit(1));
    });
  try {
    if (cluster) process.env["KV_TEST_CLUSTER"] = (await bundlePrograms(folder.path)).cluster;
    const built = cluster ? undefined : await buildAll(folder.path, broken);
    const report = await torture({ built, lease, seconds: minutes * 60, seed, faults, first });
    console.log(inLines(report, seed));
    if (report.shortest !== undefined) {
      const kept = join(tmpdir(), `durable-kv-history-${seed}.json`);
      writeFileSync(kept, toJson(report.shortest));
      console.log(`It is in ${kept}: npm run torture -- --check ${kept}`);
    }
    return report.violations.length > 0 || report.illegal > 0 ? 1 : 0;
  } finally {
    await folder.remove();
  }
}

try {
  const options = optionsOf(process.argv.slice(2));
  if (options === "help") process.stdout.write(USAGE);
  else process.exitCode = await main(options);
} catch (error) {
  const { code = "" } = error as { readonly code?: string };
  const isUsers =
    error instanceof Error && (error.message.startsWith("--") || code.startsWith("ERR_PARSE_ARGS"));
  if (!isUsers) {
    console.error(error);
    process.exit(1);
  }
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
// Connections that a fault has left half open would keep the process.
process.exit();
