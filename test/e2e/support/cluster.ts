/** A cluster as its users run it, on one machine: each node is a process with a folder of its own, as on a host of its own. */

import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { leasesIn } from "../../../src/serve/cluster/leases.ts";
import { isIdOf, OBJECTS, ownerOf } from "../../../src/serve/cluster/layout.ts";
import { objectFolder } from "../../../src/serve/capnp.ts";
import { Store } from "../../../src/serve/cluster/store.ts";
import { fetchUnchecked } from "./checked-fetch.ts";
import { S3_BUCKET, S3_KEYS, S3Server } from "./s3/server.ts";
import { runProgram, startServer, temporaryFolder, type RunningServer } from "./server.ts";

/** The program, in one file, where the tests' global setup has bundled it. */
export const clusterProgram = (): string =>
  process.env["KV_TEST_CLUSTER"] ?? resolve(import.meta.dirname, "../../../src/serve/cluster/main.ts");

export interface ClusterNode extends RunningServer {
  readonly name: string;
  /** Its folder, which is not the only place of anything. */
  readonly data: string;
  /** URL of `/ready` and `/metrics`. */
  readonly admin: string;
  /** `host:port` for other nodes, now: an engine that is started again has another one. */
  peer(): string;
}

export interface ClusterOptions {
  /** What the lease of 20 s is divided by; 5 if left out. */
  readonly timeDivisor?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Of keys in the store. */
  readonly prefix?: string;
}

const KEY = "a-key-of-the-tests-with-32-bytes-";

export class Cluster {
  readonly s3: S3Server;
  readonly nodes = new Map<string, ClusterNode>();
  readonly store: Store;
  readonly environment: Readonly<Record<string, string>>;
  readonly #folder = temporaryFolder();

  private constructor(s3: S3Server, { timeDivisor = 5, environment = {}, prefix = "test" }: ClusterOptions) {
    this.s3 = s3;
    this.environment = {
      AWS_ACCESS_KEY_ID: S3_KEYS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: S3_KEYS.secretAccessKey,
      AWS_ENDPOINT_URL: s3.endpoint,
      KV_CLUSTER_BUCKET: `s3://${S3_BUCKET}/${prefix}`,
      KV_CLUSTER_KEY: KEY,
      KV_CLUSTER_TIME_DIVISOR: String(timeDivisor),
      ...environment,
    };
    const credentials = { file: undefined, read: () => S3_KEYS };
    this.store = new Store(
      { endpoint: s3.endpoint, region: "us-east-1", bucket: S3_BUCKET, prefix, credentials },
      fetchUnchecked,
    );
  }

  /** Starts a store, and nodes of these names. */
  static async start(names: readonly string[], options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = new Cluster(await S3Server.start(), options);
    await Promise.all(names.map((name) => cluster.startNode(name)));
    return cluster;
  }

  node(name: string): ClusterNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`there is no node ${name}`);
    return node;
  }

  /** Starts a node on ports of its own, in the folder of its name. */
  async startNode(name: string): Promise<ClusterNode> {
    const data = join(this.#folder.path, name);
    const server = await startServer({
      program: clusterProgram(),
      data,
      environment: this.environment,
      args: ["--admin-port", "0"],
    });
    const admin = await server.prints(/\/ready and \/metrics at (http:\S+)\.$/m);
    const node = { ...server, name, data, admin, peer: () => lastPeer(server.output()) };
    this.nodes.set(name, node);
    return node;
  }

  /** Runs `durable-kv cluster` with these words to its end, as on the host of a node. */
  run(...words: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
    const command = [process.execPath, "--disable-warning=ExperimentalWarning", clusterProgram(), ...words];
    return runProgram(command, this.environment);
  }

  /** Kills a node with -9, all of its processes, and deletes its disk. */
  async lose(name: string): Promise<void> {
    const node = this.node(name);
    this.nodes.delete(name);
    await node.killAll();
    await rm(node.data, { recursive: true, force: true, maxRetries: 10 });
  }

  /** The node that owns a bucket, by the store. */
  async ownerOf(bucket: string): Promise<ClusterNode> {
    const [any] = this.nodes.values();
    const response = await fetch(`${any?.http}/v1/buckets/${bucket}`);
    const { id } = (await response.json()) as { readonly id: string };
    const owner = await this.ownerOfObject(id);
    const lease = (await leasesIn(this.store)).find(({ node }) => node === owner);
    const found = [...this.nodes.values()].find((node) => node.peer() === lease?.address);
    if (found === undefined) throw new Error(`${bucket} (${id}) is of ${owner}, which is no node here`);
    return found;
  }

  /** The name of the node in the store's record of an object's owner. */
  async ownerOfObject(id: string): Promise<string | undefined> {
    for (const key of this.objectKeys(id)) {
      if (key.endsWith("/own.json")) return ownerOf(this.s3.objects.get(key)?.body.toString() ?? "");
    }
    return undefined;
  }

  /** Keys in the store of one object of the Worker's. */
  objectKeys(id: string): string[] {
    return this.s3.objects.keys().filter((key) => key.includes(`/${OBJECTS}`) && key.includes(`/${id}/`));
  }

  /** Ids of all buckets that the store has anything of. */
  bucketIds(): string[] {
    const ids = this.s3.objects
      .keys()
      .flatMap((key) => /\/v1\/do\/[^/]+\/([0-9a-f]{64})\//.exec(key)?.[1] ?? []);
    return [...new Set(ids)].filter((id) => isIdOf(objectFolder("Bucket"), id));
  }

  /** Names of nodes that a load balancer would send requests to. */
  async readyNodes(): Promise<ClusterNode[]> {
    const asked = [...this.nodes.values()].map(async (node) => ((await isReady(node)) ? node : undefined));
    return (await Promise.all(asked)).filter((node) => node !== undefined);
  }

  async stop(): Promise<void> {
    // They need not hand over to each other.
    await Promise.all([...this.nodes.values()].map((node) => node.killAll()));
    await this.s3.stop();
    await this.#folder.remove();
  }
}

async function isReady({ admin }: ClusterNode): Promise<boolean> {
  try {
    return (await fetchUnchecked(`${admin}/ready`)).ok;
  } catch {
    return false;
  }
}

function lastPeer(output: string): string {
  return [...output.matchAll(/other nodes at (\S+), unencrypted/g)].at(-1)?.[1] ?? "";
}
