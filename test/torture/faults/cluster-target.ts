/** A cluster under torture: three nodes and their store, behind ports that stay the same and lead to one node after the other. */

import { clusterProgram, Cluster, type ClusterNode } from "../../e2e/support/cluster.ts";
import { FormerOwners } from "./former-owners.ts";
import { Proxy } from "./proxy.ts";
import type { Target } from "./target.ts";

/** Settings under which what the torture looks at happens often. */
const ENVIRONMENT = {
  KV_EVENT_LOG: "100000",
  KV_CHANGE_LOG: "100000",
  KV_HEARTBEAT_MS: "1000",
};
/** Seconds of the engine's own lease. */
const LEASE_S = 20;

const NAMES = ["a", "b", "c"];

const running = new Set<ClusterNode>();

/** Kills every node that a torture of this process has started. */
export function endAllNodes(): void {
  for (const { pid } of running) process.kill(-pid, "SIGKILL");
}

export class ClusterTarget implements Target {
  readonly cluster: Cluster;
  readonly http: Proxy;
  readonly tcp: Proxy;
  /** There is none for a cluster. */
  readonly hasShim = false;
  readonly fsyncFailsSince = undefined;
  readonly up = Promise.resolve();
  readonly #violations: string[];
  /** Why engines ended by themselves, and how often. */
  readonly ends = { "they could not renew their lease": 0, "they crashed": 0 };

  readonly leaseMs: number;
  readonly #formerOwners: FormerOwners;

  private constructor(cluster: Cluster, http: Proxy, tcp: Proxy, leaseMs: number, violations: string[]) {
    this.cluster = cluster;
    this.leaseMs = leaseMs;
    this.#formerOwners = new FormerOwners(cluster.s3);
    this.http = http;
    this.tcp = tcp;
    this.#violations = violations;
  }

  /** @param leaseS how long a lease is to be, in seconds @param violations what is found is added */
  static async start(leaseS: number, violations: string[]): Promise<ClusterTarget> {
    const cluster = await Cluster.start(NAMES, { timeDivisor: LEASE_S / leaseS, environment: ENVIRONMENT });
    for (const node of cluster.nodes.values()) running.add(node);
    const target = new ClusterTarget(
      cluster,
      await Proxy.start(),
      await Proxy.start(),
      leaseS * 1_000,
      violations,
    );
    target.face(cluster.node("a"));
    return target;
  }

  /** Records that the store took from an owner that had been replaced. */
  get lateRecords(): number {
    return this.#formerOwners.late;
  }

  get url(): string {
    return `http://127.0.0.1:${this.http.port}`;
  }

  /** Leads new connections to this node; those that are open stay where they are. */
  face(node: ClusterNode): void {
    this.http.target = node.httpPort;
    this.tcp.target = node.tcpPort;
  }

  /** The other nodes that run. */
  others(than: ClusterNode): ClusterNode[] {
    return [...this.cluster.nodes.values()].filter(({ name }) => name !== than.name);
  }

  /** Kills a node with -9 and deletes its disk. New connections go to another one. */
  async lose(node: ClusterNode): Promise<void> {
    this.#turnFrom(node);
    await this.cluster.lose(node.name);
    this.#ended(node);
  }

  /** Stops a node as an operator does. */
  async drain(node: ClusterNode): Promise<void> {
    this.#turnFrom(node);
    const { code } = await node.stop();
    this.cluster.nodes.delete(node.name);
    if (code !== 0) this.#violations.push(`node ${node.name} was stopped in order, and ended with ${code}`);
    this.#ended(node);
  }

  /** Starts a node that was lost or stopped. */
  async startAgain(name: string): Promise<void> {
    running.add(await this.cluster.startNode(name));
  }

  moveClock(): void {
    throw new Error(`the engine of ${clusterProgram()} has its own clock`);
  }

  async end(): Promise<void> {
    for (const node of this.cluster.nodes.values()) {
      this.#ended(node);
      if (node.hasEnded())
        this.#violations.push(`node ${node.name} has ended by itself: ${node.output().slice(-1_000)}`);
    }
    await this.cluster.stop();
    this.http.stop();
    this.tcp.stop();
  }

  #turnFrom(node: ClusterNode): void {
    const [other] = this.others(node);
    if (other !== undefined && this.http.target === node.httpPort) this.face(other);
  }

  /** How often engines have ended by themselves so far. */
  get ended(): number {
    const now = [...this.cluster.nodes.values()].map((node) => count(node, /The engine ended by itself/g));
    return now.reduce(
      (sum, each) => sum + each,
      this.ends["they could not renew their lease"] + this.ends["they crashed"],
    );
  }

  #ended(node: ClusterNode): void {
    running.delete(node);
    const left = count(node, /leaving the cluster: (the lease lapsed|renewal timed out)/g);
    this.ends["they could not renew their lease"] += left;
    this.ends["they crashed"] += Math.max(0, count(node, /The engine ended by itself/g) - left);
  }
}

function count(node: ClusterNode, what: RegExp): number {
  return node.output().match(what)?.length ?? 0;
}
