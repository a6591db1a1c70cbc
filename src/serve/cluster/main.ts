/** The program of `npm run cluster`, in a checkout. */

import { readFileSync } from "node:fs";
import { fromSource } from "../from-source.ts";
import { runProgram } from "../run-program.ts";
import { clusterCommand } from "./command.ts";

const manifest = new URL("../../../package.json", import.meta.url);
const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { readonly version: string };

await runProgram(() =>
  clusterCommand({
    name: "npm run cluster --",
    args: process.argv.slice(2),
    env: process.env,
    worker: fromSource,
    version,
  }),
);
