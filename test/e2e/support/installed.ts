/** Others' packages, installed once for the tests of a document that says which. */

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";

const ROOT = resolve(import.meta.dirname, "../../..");

const run = promisify(execFile);

/** The packages that commands like `npm install --save-dev a@1.0.0 b@2.0.0` install. */
export function packagesOf(commands: readonly string[]): string[] {
  return commands
    .filter((line) => line.startsWith("npm install "))
    .flatMap((line) => line.split(" ").slice(2))
    .filter((word) => !word.startsWith("--"));
}

/**
 * Installs packages of which the service itself needs nothing. They are kept until the next `npm ci`, because they take
 * half a minute.
 * @param name whose packages they are
 * @returns the folder of the packages
 */
export async function installed(name: string, packages: readonly string[]): Promise<string> {
  const hash = createHash("sha256").update(packages.join(" ")).digest("hex").slice(0, 16);
  const kept = join(ROOT, "node_modules/.cache", name, hash);
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
