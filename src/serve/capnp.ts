/** The engine's configuration: workerd's Cap'n Proto text. */

import type { WorkerConfig } from "./worker-config.ts";

export interface EngineConfig {
  readonly worker: Omit<WorkerConfig, "main">;
  /** Name of the file with the Worker's code, beside the configuration. */
  readonly code: string;
  /** `host:port`. */
  readonly http: string;
  /** `host:port`; undefined serves no TCP. */
  readonly tcp: string | undefined;
  /** Absolute path of the data folder. */
  readonly data: string;
  /** Names of environment variables that become bindings of the Worker without being written down here. */
  readonly secrets: readonly string[];
}

export function capnpConfig({ worker, code, http, tcp, data, secrets }: EngineConfig): string {
  const sockets = [
    `(name = "http", address = ${text(http)}, http = (), service = "worker")`,
    ...(tcp === undefined ? [] : [`(name = "tcp", address = ${text(tcp)}, tcp = (), service = "worker")`]),
  ];
  const services = [
    `(name = "worker", worker = .worker)`,
    `(name = "disk", disk = (path = ${text(data)}, writable = true))`,
  ];
  const bindings = [
    ...Object.entries(worker.objects).map(
      ([name, className]) => `(name = ${text(name)}, durableObjectNamespace = ${text(className)})`,
    ),
    ...Object.entries(worker.vars).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`),
    ...secrets.map((name) => `(name = ${text(name)}, fromEnvironment = ${text(name)})`),
  ];
  // The key is part of the data's path: it must stay as it is for the data to be found again.
  const namespaces = Object.values(worker.objects).map(
    (className) =>
      `(className = ${text(className)}, uniqueKey = ${text(`durable-kv-${className}`)}, enableSql = true)`,
  );
  return `@0xd9b5c3a1e0f2a487;
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [${services.join(", ")}],
  sockets = [${sockets.join(", ")}],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed ${text(code)})],
  compatibilityDate = ${text(worker.compatibilityDate)},
  bindings = [${bindings.join(", ")}],
  durableObjectNamespaces = [${namespaces.join(", ")}],
  durableObjectStorage = (localDisk = "disk"),
);
`;
}

/** A text literal. Cap'n Proto takes C's escapes, which JSON's \\u is not. */
function text(value: string): string {
  const escaped = value.replace(
    /["\\\x00-\x1f\x7f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return `"${escaped}"`;
}
