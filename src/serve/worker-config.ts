/** Reads wrangler.toml, so that the local server runs what would be deployed. */

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "smol-toml";

/** The part of a Worker's configuration that the local server uses. */
export interface WorkerConfig {
  /** Path of the entry point. */
  readonly main: string;
  readonly compatibilityDate: string;
  readonly vars: Readonly<Record<string, string>>;
  /** Binding names of the Durable Object namespaces, with their class names. All are SQLite-backed. */
  readonly objects: Readonly<Record<string, string>>;
}

interface WranglerToml {
  readonly main: string;
  readonly compatibility_date: string;
  readonly vars?: Readonly<Record<string, string>>;
  readonly durable_objects?: {
    readonly bindings: readonly { readonly name: string; readonly class_name: string }[];
  };
}

export function readWorkerConfig(path: string): WorkerConfig {
  const toml = parse(readFileSync(path, "utf8")) as unknown as WranglerToml;
  return {
    main: join(dirname(path), toml.main),
    compatibilityDate: toml.compatibility_date,
    vars: toml.vars ?? {},
    objects: Object.fromEntries(
      (toml.durable_objects?.bindings ?? []).map(({ name, class_name: className }) => [name, className]),
    ),
  };
}
