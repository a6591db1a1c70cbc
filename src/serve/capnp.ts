/** workerd's configuration file, in Cap'n Proto's text format. */

import type { WorkerConfig } from "./worker-config.ts";

export interface EngineConfig {
  readonly worker: WorkerConfig;
  /** Name of the file with the Worker's code, in the folder of the configuration. */
  readonly code: string;
  /** `host:port`. */
  readonly http: string;
  /** `host:port`; undefined for no TCP. */
  readonly tcp: string | undefined;
  /** Absolute path of the data folder. */
  readonly data: string;
  /** Names of environment variables that become bindings. Their values are not written to the file. */
  readonly inherited: readonly string[];
  /**
   * The Worker's entry point for TCP connections; the default entry point if undefined. A separate one is safer: the
   * engine passes an HTTP CONNECT request to the default entry point as if it were a TCP connection.
   */
  readonly tcpEntrypoint?: string;
  /** Path of a Unix socket for the entry point `Control`; undefined for none. */
  readonly control: string | undefined;
}

export function capnpConfig(config: EngineConfig): string {
  const { worker, code, http, tcp, data, inherited, tcpEntrypoint, control } = config;
  // Sockets are reported in this order, and the last ones make the engine ready: they are those that clients use.
  const sockets = [
    ...(control === undefined
      ? []
      : [
          `(name = "control", address = ${text(`unix:${control}`)}, http = (), service = ${service("Control")})`,
        ]),
    `(name = "http", address = ${text(http)}, http = (), service = "worker")`,
    ...(tcp === undefined
      ? []
      : [`(name = "tcp", address = ${text(tcp)}, tcp = (), service = ${service(tcpEntrypoint)})`]),
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
    ...inherited.map((name) => `(name = ${text(name)}, fromEnvironment = ${text(name)})`),
  ];
  const namespaces = Object.values(worker.objects).map(
    (className) =>
      `(className = ${text(className)}, uniqueKey = ${text(objectFolder(className))}, enableSql = true)`,
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

function service(entrypoint: string | undefined): string {
  return entrypoint === undefined ? `"worker"` : `(name = "worker", entrypoint = ${text(entrypoint)})`;
}

/** Folder in the data folder for a class of objects. Never change it: existing data would not be found. */
export function objectFolder(className: string): string {
  return `durable-kv-${className}`;
}

/** A text literal. Cap'n Proto uses C's escapes, which lack JSON's \\u. */
function text(value: string): string {
  const escaped = value.replace(
    /["\\\x00-\x1f\x7f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return `"${escaped}"`;
}
