/** The program of `npm start`. */

import { serveCommand } from "./command.ts";
import { fromSource } from "./from-source.ts";
import { runProgram } from "./run-program.ts";

await runProgram(() =>
  serveCommand({
    name: "npm start --",
    args: process.argv.slice(2),
    env: process.env,
    worker: fromSource,
  }),
);
