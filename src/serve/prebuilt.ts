/** The Worker of the npm package, bundled when the package was built (scripts/build.ts). */

import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { StartupError } from "./run-program.ts";
import type { LocalWorker, WorkerConfig } from "./worker-config.ts";

/** In the package, `dist/serve/prebuilt`. A checkout has it only after `npm run build`, in `dist`. */
const FOLDER = new URL("prebuilt/", import.meta.url);

/** The Worker beside this file, in the package. @throws {StartupError} in a checkout */
export function prebuilt(): LocalWorker {
  const config = new URL("worker.json", FOLDER);
  if (!existsSync(config)) throw new StartupError("In a checkout, the server is started by npm start.");
  return {
    config: JSON.parse(readFileSync(config, "utf8")) as WorkerConfig,
    code: () => readFile(new URL("worker.js", FOLDER), "utf8"),
  };
}
