/** `npm run bench`: this service compared with a minimal Worker, or with `--peers` with what people would use instead. */

import { againstBare } from "./against-bare.ts";
import { readOptions, USAGE, type BenchOptions } from "./options.ts";
import { againstPeers } from "./peers/run.ts";

let options: BenchOptions;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exit(2);
}
await (options.peers === undefined
  ? againstBare(options.only)
  : againstPeers({ ...options.peers, only: options.only }));
process.exit();
