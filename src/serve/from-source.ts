/** The Worker of a checkout, bundled when it is served, so that the local server runs what would be deployed. */

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "smol-toml";
import { bundle } from "./bundle.ts";
import type { LocalWorker, WorkerConfig } from "./worker-config.ts";

const ROOT = resolve(import.meta.dirname, "../..");

interface WranglerToml {
  readonly compatibility_date: string;
  readonly vars?: Readonly<Record<string, string>>;
  readonly durable_objects?: {
    readonly bindings: readonly { readonly name: string; readonly class_name: string }[];
  };
}

/** The Worker of the checkout that this file is in. */
export function fromSource(): LocalWorker {
  return {
    config: readWorkerConfig(join(ROOT, "wrangler.toml")),
    code: () => bundle(join(ROOT, "src/local/worker.ts")),
  };
}

/** The checkout's version. */
export function sourceVersion(): string {
  const manifest = readFileSync(join(ROOT, "package.json"), "utf8");
  return (JSON.parse(manifest) as { readonly version: string }).version;
}

/** Reads a wrangler.toml. */
export function readWorkerConfig(path: string): WorkerConfig {
  const toml = parse(readFileSync(path, "utf8")) as unknown as WranglerToml;
  return {
    compatibilityDate: toml.compatibility_date,
    vars: toml.vars ?? {},
    objects: Object.fromEntries(
      (toml.durable_objects?.bindings ?? []).map(({ name, class_name: className }) => [name, className]),
    ),
  };
}
