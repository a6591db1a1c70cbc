/** The server of the torture: `npm start`'s, with the Worker that `TORTURE_WORKER` names. */

import { readFileSync } from "node:fs";
import { serveCommand } from "../../../src/serve/command.ts";
import { runProgram } from "../../../src/serve/run-program.ts";
import type { WorkerConfig } from "../../../src/serve/worker-config.ts";

const folder = process.env["TORTURE_WORKER"] ?? "";

await runProgram(() =>
  serveCommand({
    name: "torture",
    args: process.argv.slice(2),
    env: process.env,
    worker: () => ({
      config: JSON.parse(readFileSync(`${folder}/worker.json`, "utf8")) as WorkerConfig,
      code: async () => readFileSync(`${folder}/worker.js`, "utf8"),
    }),
  }),
);
