/** Once for all end-to-end tests: the command in one file, and the server that many of the tests share. */

import { copyFile, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import type { TestProject } from "vitest/node";
import { startServer, temporaryFolder, type Addresses } from "./server.ts";

const ROOT = resolve(import.meta.dirname, "../../..");

declare module "vitest" {
  interface ProvidedContext {
    /** Path of the command, in one file. */
    readonly command: string;
    /** Where the shared server is. */
    readonly sharedServer: Addresses;
  }
}

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = temporaryFolder();
  const [command, server] = await Promise.all([bundleCommand(folder.path), startServer()]);
  provide("command", command);
  provide("sharedServer", { http: server.http, httpPort: server.httpPort, tcpPort: server.tcpPort });
  return async () => {
    await Promise.all([server.stop(), folder.remove()]);
  };
}

/**
 * Bundles `kv`, so that none of its many runs has to strip the types of its sources.
 * It lies where npm puts it: package.json is two folders up.
 */
async function bundleCommand(folder: string): Promise<string> {
  const outfile = join(folder, "dist/cli/main.js");
  await build({
    entryPoints: [join(ROOT, "src/cli/main.ts")],
    bundle: true,
    outfile,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "warning",
  });
  await copyFile(join(ROOT, "package.json"), join(folder, "package.json"));
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return outfile;
}
