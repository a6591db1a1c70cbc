/** Packages that a tool needs and `npm ci` should not bring: they are large, and want another TypeScript than ours. */

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const CACHE = join(import.meta.dirname, "../node_modules/.cache");

const run = promisify(execFile);

/**
 * Installs packages from the registry, once: they are kept until the next `npm ci`.
 * @param packages with their exact versions: `typedoc@0.28.20`
 * @returns the folder `node_modules` that they are in
 */
export async function cachedPackages(name: string, packages: readonly string[]): Promise<string> {
  const hash = createHash("sha256").update(packages.join(" ")).digest("hex").slice(0, 16);
  const kept = join(CACHE, name, hash);
  if (!existsSync(kept)) {
    await mkdir(dirname(kept), { recursive: true });
    const made = await mkdtemp(`${kept}-`);
    await writeFile(join(made, "package.json"), '{"private":true}');
    const options = ["--prefix", made, "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"];
    await run("npm", ["install", ...options, ...packages], { cwd: made });
    // Whole or not at all, for a run that is ended meanwhile.
    await rename(made, kept);
  }
  return join(kept, "node_modules");
}
