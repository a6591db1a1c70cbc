/** The Worker of the npm package, bundled when the package was built (scripts/build.ts). */

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { LocalWorker, WorkerConfig } from "./worker-config.ts";

/** In the package, `dist/serve/prebuilt`. A checkout has it only after `npm run build`, in `dist`. */
const FOLDER = new URL("prebuilt/", import.meta.url);

/** The Worker beside this file, in the package. */
export function prebuilt(): LocalWorker {
  return {
    config: JSON.parse(readFileSync(new URL("worker.json", FOLDER), "utf8")) as WorkerConfig,
    code: () => readFile(new URL("worker.js", FOLDER), "utf8"),
  };
}
