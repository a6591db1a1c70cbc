/** Others' packages, installed once for the tests of a document that says which. */

import { cachedPackages } from "../../../scripts/cached-packages.ts";

/**
 * Installs what commands like `npm install --save-dev a@1.0.0 b@2.0.0` install.
 * @param name whose packages they are
 * @param commands lines of a document; others are skipped
 * @returns the folder of the packages
 */
export function installed(name: string, commands: readonly string[]): Promise<string> {
  const packages = commands
    .filter((line) => line.startsWith("npm install "))
    .flatMap((line) => line.split(" ").slice(2))
    .filter((word) => !word.startsWith("--"));
  return cachedPackages(name, packages);
}
