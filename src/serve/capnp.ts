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
  /** Makes the engine a node of a cluster; undefined for an engine by itself. */
  readonly cluster?: ClusterConfig | undefined;
}

/** The engine as a node of a cluster. Credentials of the store come by its environment, and are in no file. */
export interface ClusterConfig {
  /** `s3://bucket/prefix`. */
  readonly store: string;
  readonly endpoint: string;
  readonly region: string;
  /** `host:port` for other nodes. */
  readonly address: string;
  /** `host:port` at which other nodes reach this one; the address itself if undefined. */
  readonly advertise: string | undefined;
  /** The secret of the nodes. The engine takes it from its configuration only. */
  readonly key: string;
  /** Milliseconds that a stop may take, with all handed over. */
  readonly stopTimeoutMs: number;
  /** Divides the lease of 20 s, for tests. */
  readonly timeDivisor: number;
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
  services = [${services.join(", ")}],${config.cluster === undefined ? "" : `\n  cluster = ${clusterText(config.cluster)},`}
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

function clusterText(cluster: ClusterConfig): string {
  const options = [`aws_endpoint=${cluster.endpoint}`, `aws_region=${cluster.region}`];
  const fields = [
    `bucket = ${text(cluster.store)}`,
    `bucketOptions = [${options.map(text).join(", ")}]`,
    `address = ${text(cluster.address)}`,
    ...(cluster.advertise === undefined ? [] : [`advertise = ${text(cluster.advertise)}`]),
    `key = ${text(cluster.key)}`,
    `stopTimeoutMs = ${cluster.stopTimeoutMs}`,
    // Left out unless it is set, so that nothing unsafe is in the configuration of a real cluster.
    ...(cluster.timeDivisor === 1 ? [] : [`unsafeTimeDivisor = ${cluster.timeDivisor}`]),
  ];
  return `(${fields.join(", ")})`;
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
