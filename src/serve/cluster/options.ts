/** The options of `durable-kv cluster`. */

import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { parseArgs, type ParseArgsConfig } from "node:util";
import { checkToken, isLoopback } from "../options.ts";
import { checkPrivate, type HostPort, isWildcard, parseHostPort } from "./address.ts";
import { ClusterError } from "./errors.ts";
import { refuseOverlaps, type PortOptions } from "./ports.ts";
import { clusterKey, credentialSource } from "./secrets.ts";
import type { StoreOptions } from "./store.ts";

type Environment = NodeJS.ProcessEnv;

export interface ClusterOptions extends PortOptions {
  readonly store: StoreOptions;
  readonly key: string;
  /** At which other nodes reach this one, if that is not `peer`. */
  readonly advertise: HostPort | undefined;
  readonly data: string;
  /** Divides the engine's lease, for tests: 1 for all others. */
  readonly timeDivisor: number;
  /** Process id of the shell that started the nodes. */
  readonly parent: number | undefined;
}

const STORE_OPTIONS = {
  bucket: { type: "string" },
  endpoint: { type: "string" },
  region: { type: "string" },
  credentials: { type: "string" },
} as const;

const OPTIONS = {
  ...STORE_OPTIONS,
  "key-file": { type: "string" },
  nodes: { type: "string", default: "1" },
  host: { type: "string", default: "127.0.0.1" },
  port: { type: "string", default: "8787" },
  "tcp-port": { type: "string" },
  "no-tcp": { type: "boolean", default: false },
  peer: { type: "string", default: "127.0.0.1:0" },
  advertise: { type: "string" },
  "admin-host": { type: "string", default: "127.0.0.1" },
  "admin-port": { type: "string", default: "9787" },
  data: { type: "string", default: ".data-cluster" },
  // Internal: package.json's script passes the process id of its shell.
  parent: { type: "string" },
} as const;

/** Most nodes in one process. */
const MAX_NODES = 16;

/** The help of the store's options, which several commands have. */
export const STORE_HELP = `  --bucket URL        the S3 bucket of the cluster's state: s3://NAME/PREFIX (env: KV_CLUSTER_BUCKET)
  --endpoint URL      the S3 server, without a path (env: AWS_ENDPOINT_URL; default: AWS in the region)
  --region NAME       its region (env: AWS_REGION; default us-east-1)
  --credentials FILE  a file of AWS_ACCESS_KEY_ID=, AWS_SECRET_ACCESS_KEY= and AWS_SESSION_TOKEN= lines; it may
                      be replaced while nodes run (env: AWS_CREDENTIALS_FILE, or these variables)`;

export function startUsage(name: string): string {
  return `Usage: ${name} [options]
       ${name} status [options]    nodes, who owns how many buckets, the store
       ${name} drain [options]     hand all buckets of a node over, and stop it

Starts nodes of a cluster, whose state is in an S3 bucket. Each serves all buckets.

${STORE_HELP}
  --key-file FILE     the secret that the nodes share, at least 32 bytes (env: KV_CLUSTER_KEY)
  --peer HOST:PORT    where this node listens for other nodes (default 127.0.0.1:0). Their traffic is NOT
                      encrypted: an address of a private network only
  --advertise HOST:PORT
                      at which other nodes reach this one, if that is another address
  --nodes N           nodes in this process, with ports that follow on each other (default 1)
  --host HOST         address for clients (default 127.0.0.1); one that other machines can reach requires
                      a KV_TOKEN of at least 16 characters
  --port N            HTTP port (default 8787; 0 for any free port)
  --tcp-port N        TCP port of the text protocol (default 4040)
  --no-tcp            do not serve the text protocol over TCP
  --admin-host HOST   address of /ready and /metrics of the node (default 127.0.0.1)
  --admin-port N      their port (default 9787)
  --data DIR          folder for copies of what this node owns (default .data-cluster)
  --help              show this help

Environment: KV_TOKEN is the token that clients must send, the same on all nodes. docs/cluster.md has more.
`;
}

/** @returns the options; `help` for --help @param interfaces of this machine @throws {ClusterError} for an invalid option */
export async function clusterOptions(
  args: readonly string[],
  env: Environment,
  name: string,
  interfaces = networkInterfaces,
): Promise<ClusterOptions | "help"> {
  const values = parse(args, OPTIONS, name);
  if (values === "help") return "help";
  const { host } = values;
  for (const [option, value] of [
    ["--host", host],
    ["--admin-host", values["admin-host"]],
  ] as const)
    if (value !== "localhost" && isIP(value) === 0)
      throw invalid(`${option} ${value}: give an IP address, or localhost.`);
  try {
    checkToken(`--host ${host}`, host, env["KV_TOKEN"] || undefined);
  } catch (error) {
    throw new ClusterError("cluster_token_missing", (error as Error).message);
  }
  if (values["no-tcp"] && values["tcp-port"] !== undefined)
    throw invalid("--no-tcp can't be combined with --tcp-port.");
  if (values.data === "") throw invalid("--data needs the name of a folder.");
  const nodes = whole("--nodes", values.nodes, 1, MAX_NODES);
  const peer = parseHostPort("--peer", values.peer);
  const advertise =
    values.advertise === undefined ? undefined : parseHostPort("--advertise", values.advertise);
  if (advertise !== undefined && isWildcard(advertise))
    throw invalid(
      `--advertise ${values.advertise}: other nodes can't connect to a wildcard. Give this node's own address.`,
    );
  if (advertise === undefined && isWildcard(peer))
    throw invalid(
      `--peer ${values.peer} listens on every interface: say with --advertise HOST:PORT at which one other nodes reach this node.`,
    );
  if (advertise !== undefined && nodes > 1)
    throw invalid("--advertise can't be combined with --nodes: it names one node.");
  await checkPrivate("--peer", peer, interfaces);
  if (advertise !== undefined) await checkPrivate("--advertise", advertise, interfaces);
  const options: ClusterOptions = {
    store: storeOf(values, env),
    key: clusterKey(values["key-file"], env),
    nodes,
    host,
    port: portNumber("--port", values.port),
    tcpPort: values["no-tcp"] ? undefined : portNumber("--tcp-port", values["tcp-port"] ?? "4040"),
    peer,
    advertise,
    adminHost: values["admin-host"],
    adminPort: portNumber("--admin-port", values["admin-port"]),
    data: values.data,
    timeDivisor: timeDivisor(env, peer),
    parent: /^\d+$/.test(values.parent ?? "") ? Number(values.parent) : undefined,
  };
  refuseOverlaps(options);
  return options;
}

/** Parses a command line strictly. @returns `help` for --help @throws {ClusterError} for an unknown option */
export function parse<const T extends NonNullable<ParseArgsConfig["options"]>>(
  args: readonly string[],
  options: T,
  name: string,
) {
  try {
    if (args.includes("--help")) return "help" as const;
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw invalid(`${(error as Error).message.split(". ")[0]}. See ${name} --help`);
  }
}

/** The options of the store, for commands that have only these. */
export { STORE_OPTIONS };

interface StoreValues {
  readonly bucket?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly credentials?: string | undefined;
}

/** @throws {ClusterError} */
export function storeOf(values: StoreValues, env: Environment): StoreOptions {
  const url = values.bucket ?? (env["KV_CLUSTER_BUCKET"] || undefined);
  if (url === undefined)
    throw invalid("Name the S3 bucket of the cluster: --bucket s3://NAME/PREFIX, or KV_CLUSTER_BUCKET.");
  const [, bucket, prefix = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]+)(?:\/(.*?))?\/?$/.exec(url) ?? [];
  const isPlain = (part: string): boolean => /^[\w.-]+$/.test(part) && !/^\.+$/.test(part);
  if (bucket === undefined || (prefix !== "" && !prefix.split("/").every(isPlain)))
    throw invalid(`--bucket ${url}: give s3://NAME or s3://NAME/PREFIX, in letters, digits, and . _ -`);
  const region = values.region ?? (env["AWS_REGION"] || "us-east-1");
  const endpoint = values.endpoint ?? (env["AWS_ENDPOINT_URL"] || `https://s3.${region}.amazonaws.com`);
  return {
    endpoint: checkedEndpoint(endpoint),
    region,
    bucket,
    prefix,
    credentials: credentialSource(values.credentials, env),
  };
}

function checkedEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    url.username !== "" ||
    url.search !== "" ||
    url.hash !== ""
  )
    throw invalid(`--endpoint ${text}: give the URL of an S3 server, such as https://s3.example.com.`);
  if (url.pathname !== "/")
    throw new ClusterError(
      "cluster_endpoint_path",
      `--endpoint ${text} has a path, which the engine can't sign requests for. Give the server's own address, such as ${url.origin}, or put a proxy with a host name of its own in front of it.`,
    );
  return url.origin;
}

/** KV_CLUSTER_TIME_DIVISOR, which the tests set: never on a network, where a slow request would end a node. */
function timeDivisor(env: Environment, { host }: HostPort): number {
  const text = env["KV_CLUSTER_TIME_DIVISOR"] || "1";
  const divisor = whole("KV_CLUSTER_TIME_DIVISOR", text, 1, 100);
  if (divisor === 1 || isLoopback(host)) return divisor;
  throw invalid("KV_CLUSTER_TIME_DIVISOR is for tests on one machine: unset it.");
}

function portNumber(option: string, text: string): number {
  return whole(option, text, 0, 65_535);
}

function whole(option: string, text: string, least: number, most: number): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw invalid(`${option} ${text}: expected a whole number from ${least} to ${most}.`);
}

function invalid(message: string): ClusterError {
  return new ClusterError("cluster_option_invalid", message);
}
