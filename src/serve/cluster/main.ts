/** The program of `npm run cluster`, in a checkout. */

import { fromSource, sourceVersion } from "../from-source.ts";
import { runProgram } from "../run-program.ts";
import { clusterCommand } from "./command.ts";

await runProgram(() =>
  clusterCommand({
    name: "npm run cluster --",
    args: process.argv.slice(2),
    env: process.env,
    worker: fromSource,
    version: sourceVersion(),
  }),
);
