/** `npm run bench`: this service compared with a minimal Worker, or with `--peers` with what people would use instead. */

import { againstBare } from "./against-bare.ts";
import { readOptions, USAGE, UsageError } from "./options.ts";
import { againstPeers, Interrupted } from "./peers/run.ts";

try {
  const { only, peers } = readOptions(process.argv.slice(2));
  await (peers === undefined ? againstBare(only) : againstPeers({ ...peers, only }));
} catch (error) {
  if (error instanceof Interrupted) {
    console.error(error.message);
    process.exit(130);
  }
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exit(2);
}
process.exit();
