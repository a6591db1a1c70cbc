/** Stands for src/serve/bundle.ts in the bundled server: the first server bundles a Worker, the others find it. */

import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { bundle as bundleAnew } from "../../../src/serve/bundle.ts";

/** The server is at dist/serve/main.js in it. */
const FOLDER = resolve(import.meta.dirname, "../..");

export async function bundle(entryPoint: string): Promise<string> {
  const kept = join(FOLDER, `${encodeURIComponent(relative(FOLDER, entryPoint))}.js`);
  if (existsSync(kept)) return readFile(kept, "utf8");
  const code = await bundleAnew(entryPoint);
  // Whole or not at all, for a server that starts meanwhile.
  await writeFile(`${kept}.${process.pid}`, code);
  await rename(`${kept}.${process.pid}`, kept);
  return code;
}
