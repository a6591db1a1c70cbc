/** Builds what the torture starts, once: the server in one file, the Worker, and the shim that moves the engine's clock and spoils its disk. */

import { spawnSync } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { bundle } from "../../../src/serve/bundle.ts";
import { NODE_PROGRAM } from "../../e2e/support/bundled.ts";
import { readWorkerConfig } from "../../../src/serve/from-source.ts";
import type { Broken } from "../broken.ts";

const HERE = import.meta.dirname;
const ROOT = resolve(HERE, "../../..");

export interface Built {
  /** The server's program. */
  readonly server: string;
  /** The folder of the Worker. */
  readonly folder: string;
  /** A library to preload into the engine (shim.c); undefined without a C compiler: then clock and disk are left alone. */
  readonly shim: string | undefined;
}

export async function buildAll(folder: string, broken: Broken | undefined): Promise<Built> {
  const server = join(folder, "serve.mjs");
  // For what the server looks up beside itself: the engine.
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  await build({ ...NODE_PROGRAM, entryPoints: [join(HERE, "serve.ts")], outfile: server });
  const code = await bundle(join(HERE, "../worker/worker.ts"), {
    "globalThis.KV_FAILPOINTS": "true",
    "globalThis.TORTURE_BROKEN": broken === undefined ? "undefined" : JSON.stringify(broken),
  });
  writeFileSync(join(folder, "worker.js"), code);
  writeFileSync(join(folder, "worker.json"), JSON.stringify(readWorkerConfig(join(ROOT, "wrangler.toml"))));
  return { server, folder, shim: buildShim(folder) };
}

function buildShim(folder: string): string | undefined {
  const library = join(folder, "shim.so");
  const { status } = spawnSync("cc", [
    "-shared",
    "-fPIC",
    "-O1",
    "-o",
    library,
    join(HERE, "shim.c"),
    "-ldl",
  ]);
  return status === 0 ? library : undefined;
}
