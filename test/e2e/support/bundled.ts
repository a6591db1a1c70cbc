/**
 * The command and the server in one file each. The tests start them hundreds of times, and to strip the types of their
 * sources, or to bundle the Worker, takes longer than most of what they are then asked for.
 */

import { copyFile, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";

const ROOT = resolve(import.meta.dirname, "../../..");

/** How a program of the server's is bundled, for esbuild. */
export const NODE_PROGRAM = {
  bundle: true,
  platform: "node",
  format: "esm",
  packages: "external",
  logLevel: "warning",
} as const;

/** Paths of the programs. */
export interface Programs {
  readonly command: string;
  readonly server: string;
  /** Nodes of a cluster. */
  readonly cluster: string;
}

/** Writes the programs into a folder that is laid out like the repository, for what they look up beside themselves. */
export async function bundlePrograms(folder: string): Promise<Programs> {
  await build({
    entryPoints: {
      "cli/main": join(ROOT, "src/cli/main.ts"),
      "serve/main": join(ROOT, "src/serve/main.ts"),
      "serve/cluster": join(ROOT, "src/serve/cluster/main.ts"),
    },
    ...NODE_PROGRAM,
    outdir: join(folder, "dist"),
    plugins: [workerOnce],
  });
  for (const file of ["package.json", "wrangler.toml"]) await copyFile(join(ROOT, file), join(folder, file));
  for (const name of ["node_modules", "src"]) await symlink(join(ROOT, name), join(folder, name));
  return {
    command: join(folder, "dist/cli/main.js"),
    server: join(folder, "dist/serve/main.js"),
    cluster: join(folder, "dist/serve/cluster.js"),
  };
}

/** The server has its Worker bundled by the first one that starts. */
const workerOnce: Plugin = {
  name: "a Worker that is bundled once",
  setup(hooks) {
    hooks.onResolve({ filter: /^\.\/bundle\.ts$/ }, () => ({
      path: join(import.meta.dirname, "bundled-once.ts"),
    }));
  },
};
