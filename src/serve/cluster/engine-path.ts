/** Finds an engine that is new enough for a cluster. */

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, dirname } from "node:path";
import { ClusterError } from "./errors.ts";

/**
 * The first version whose nodes hand their objects over when they stop. Earlier ones have a cluster mode, too, in which a
 * node that stops makes the calls of its peers fail, and often ends the peers' engines.
 */
export const MIN_VERSION = "1.20261117.1";

export interface ClusterEngine {
  readonly path: string;
  readonly version: string;
}

const require = createRequire(import.meta.url);

/**
 * The package workerd, if it is new enough; else the engine that a checkout has beside it, because its tests' tools are
 * pinned to an older one.
 * @throws {ClusterError} `cluster_engine_missing`
 */
export function clusterEngine(): ClusterEngine {
  const { platform, arch } = process;
  const name = `${platform}-${arch === "x64" ? "64" : arch}`;
  for (const each of [`@cloudflare/workerd-${name}`, `workerd-cluster-${name}`]) {
    const found = installed(each);
    if (found !== undefined && isAtLeast(found.version, MIN_VERSION)) return found;
  }
  const old = installed(`@cloudflare/workerd-${name}`);
  throw new ClusterError(
    "cluster_engine_missing",
    `A cluster needs workerd ${MIN_VERSION} or newer, and ${old === undefined ? "none is installed" : `${old.version} is installed`}: npm install workerd@latest. It exists for Linux with glibc and macOS, on x64 and arm64.`,
  );
}

function installed(name: string): ClusterEngine | undefined {
  try {
    // Beside the package workerd, which is where its own dependencies are if they are not hoisted.
    const from = name.startsWith("@") ? dirname(require.resolve("workerd")) : import.meta.dirname;
    const path = require.resolve(`${name}/bin/workerd`, { paths: [from, import.meta.dirname] });
    const manifest = join(dirname(path), "..", "package.json");
    const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { readonly version: string };
    return existsSync(path) ? { path, version } : undefined;
  } catch {
    return undefined;
  }
}

/** Compares versions of three numbers, part by part. */
export function isAtLeast(version: string, least: string): boolean {
  const [one, other] = [version, least].map((text) => text.split(".").map(Number)) as [number[], number[]];
  for (const [place, number] of other.entries()) {
    const difference = (one[place] ?? 0) - number;
    if (difference !== 0) return difference > 0;
  }
  return true;
}
