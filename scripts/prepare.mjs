/** `npm run prepare`, which npm runs after an install: builds `dist`, unless the tools for that are left out. */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

// JavaScript, and no dependency: with `--omit=dev` there is no Node but the machine's, which may not read TypeScript.
const tools = join(import.meta.dirname, "../node_modules/typescript");
if (existsSync(tools)) {
  process.exitCode = spawnSync("npm run build", { stdio: "inherit", shell: true }).status ?? 1;
} else console.log("Not built: the tools for that are left out (--omit=dev). `npm ci` builds it.");
