/** Versions of the packages of this repository that take part. */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const MODULES = resolve(import.meta.dirname, "../../node_modules");
const PACKAGES = ["workerd", "autocannon", "undici", "ioredis"];

export function packageVersions(): Record<string, string> {
  return {
    node: process.versions.node,
    ...Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
  };
}

function versionOf(name: string): string {
  const text = readFileSync(resolve(MODULES, name, "package.json"), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}
