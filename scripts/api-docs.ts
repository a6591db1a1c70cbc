/** `npm run docs:api`: makes the API reference from the docstrings, in `build/api`. Options are typedoc's. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { cachedPackages } from "./cached-packages.ts";

const ROOT = join(import.meta.dirname, "..");
/** 46 MB. typedoc can't use TypeScript 7, which has no stable API yet. */
const PACKAGES = ["typedoc@0.28.20", "typescript@6.0.3"];

const installed = await cachedPackages("api-docs", PACKAGES);
// Given options come last, so that they win.
const options = ["--tsconfig", join(ROOT, "tsconfig.api.json"), ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, [join(installed, "typedoc/bin/typedoc"), ...options], {
  stdio: "inherit",
});
process.exitCode = status ?? 1;
