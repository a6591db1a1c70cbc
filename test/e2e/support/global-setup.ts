/** Once for all end-to-end tests: the programs that they start, bundled, and the server that many of them share. */

import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { bundlePrograms } from "./bundled.ts";
import { startServer, temporaryFolder, type Addresses } from "./server.ts";

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
  const { command, server: program, cluster } = await bundlePrograms(folder.path);
  provide("command", command);
  // Not provided: servers are started here too, where nothing is injected.
  process.env["KV_TEST_SERVER"] = program;
  process.env["KV_TEST_CLUSTER"] = cluster;
  // Hundreds of processes load the same few modules: Node keeps what it has compiled of them.
  process.env["NODE_COMPILE_CACHE"] = join(folder.path, "compiled");
  const server = await startServer();
  provide("sharedServer", { http: server.http, httpPort: server.httpPort, tcpPort: server.tcpPort });
  return async () => {
    // One after the other: the server keeps what was compiled of it in that folder when it ends.
    await server.stop();
    await folder.remove();
  };
}
